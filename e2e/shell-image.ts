import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { docker } from './docker.ts'

/** Where the shell and its libraries are taken from. */
const BASE = 'node:24-slim'

/** A shell, what it links to, and bytes that do not compress. Nothing else: no Node, no package manager, no root file system. */
const dockerfile = (ballast: number) => `FROM ${BASE} AS parts
RUN mkdir /out && cp -L --parents /bin/dash $(ldd /bin/dash | grep -o '/[^ ]*') /out && head -c ${ballast} /dev/urandom > /out/ballast
FROM scratch
COPY --from=parts /out /
COPY server.sh /
ENTRYPOINT ["/bin/dash", "/server.sh"]
`

/** An MCP server over standard input and output, of what a shell can do by itself. */
const serverOf = (answer: string) => `while read -r line; do
  case $line in *'"id":'*) ;; *) continue ;; esac
  id=\${line#*'"id":'}
  id=\${id%%[,\\}]*}
  case $line in
    *'"method":"initialize"'*) said='"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"shell","version":"1.0"}}' ;;
    *'"method":"tools/list"'*) said='"result":{"tools":[{"name":"say","inputSchema":{"type":"object"}}]}' ;;
    *'"method":"tools/call"'*) said='"result":{"content":[{"type":"text","text":"${answer}"}]}' ;;
    *'"method":"ping"'*) said='"result":{}' ;;
    *) said='"error":{"code":-32601,"message":"no such method"}' ;;
  esac
  printf '{"jsonrpc":"2.0","id":%s,%s}\\n' "$id" "$said"
done
`

/**
 * Builds an image from nothing, writes its archive and removes it: Docker has it from that archive or not at all.
 * @param answer What its capability `say` answers.
 * @param ballast Bytes that the image weighs besides some two million.
 * @returns Path of the archive, in a new directory that the caller removes.
 */
export async function savedShellImage(image: string, answer: string, ballast: number) {
  const directory = await mkdtemp(join(tmpdir(), 'agentopia-image-'))
  const archive = join(directory, 'server.tar')
  await writeFile(join(directory, 'Dockerfile'), dockerfile(ballast))
  await writeFile(join(directory, 'server.sh'), serverOf(answer))
  await docker('build', '-q', '-t', image, directory)
  await docker('save', '-o', archive, image)
  await docker('rmi', image)
  return { archive, remove: () => rm(directory, { recursive: true }) }
}
