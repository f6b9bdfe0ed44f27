import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const run = promisify(execFile)
const BASE = 'node:24-slim'
const DOCKERFILE = `FROM ${BASE}
COPY fixture.mjs /fixture.mjs
ENTRYPOINT ["node", "/fixture.mjs"]
`

export interface FixtureImage extends AsyncDisposable {
  /** By digest, at a registry on this machine; Docker speaks to loopback without TLS. */
  readonly reference: string
}

/** A program as an image that a toolbox can pull. @param program Absent: the fixture of the conformance tests. */
export async function openFixtureImage(
  program = fileURLToPath(new URL('./fixture.server.ts', import.meta.url)),
): Promise<FixtureImage> {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-fixture-'))
  await build({
    entryPoints: [program],
    outfile: join(folder, 'fixture.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  })
  writeFileSync(join(folder, 'Dockerfile'), DOCKERFILE)
  const { stdout } = await run('docker', ['build', '-q', folder])
  const id = stdout.trim()
  await run('docker', ['save', '-o', join(folder, 'image.tar'), id], { maxBuffer: 1 << 20 })
  await run('tar', ['-xf', 'image.tar'], { cwd: folder })
  const registry = await openRegistry(folder)
  return {
    reference: registry.reference,
    async [Symbol.asyncDispose]() {
      await registry.close()
      await run('docker', ['image', 'rm', '-f', registry.reference, id]).catch(() => {}) // one may be gone already
      rmSync(folder, { recursive: true })
    },
  }
}

interface Blob {
  readonly file: string
  readonly size: number
  readonly digest: string
}

async function openRegistry(folder: string) {
  const [saved] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as [
    { Config: string; Layers: string[] },
  ]
  const config = await blobOf(join(folder, saved.Config))
  const layers: Blob[] = []
  for (const layer of saved.Layers) layers.push(await blobOf(join(folder, layer)))
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: descriptor(config, 'application/vnd.docker.container.image.v1+json'),
    layers: layers.map((layer) => descriptor(layer, 'application/vnd.docker.image.rootfs.diff.tar.gzip')),
  })
  writeFileSync(join(folder, 'served.json'), manifest)
  const served = await blobOf(join(folder, 'served.json'))
  const blobs = new Map([config, ...layers, served].map((blob) => [blob.digest, blob]))

  const server = createServer((request, response) => {
    const digest = /\/(?:manifests|blobs)\/(sha256:\w+)$/.exec(request.url ?? '')?.[1]
    if (digest === undefined) return void response.end('{}')
    const blob = blobs.get(digest)
    if (!blob) return void response.writeHead(404).end('{}')
    response.writeHead(200, {
      'content-type': request.url!.includes('/manifests/')
        ? 'application/vnd.docker.distribution.manifest.v2+json'
        : 'application/octet-stream',
      'content-length': blob.size,
      'docker-content-digest': digest,
    })
    if (request.method === 'HEAD') response.end()
    else createReadStream(blob.file).pipe(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    reference: `127.0.0.1:${(server.address() as AddressInfo).port}/agentopia/conformance-fixture@${served.digest}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const descriptor = ({ size, digest }: Blob, mediaType: string) => ({ mediaType, size, digest })

async function blobOf(file: string): Promise<Blob> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return { file, size: statSync(file).size, digest: `sha256:${hash.digest('hex')}` }
}
