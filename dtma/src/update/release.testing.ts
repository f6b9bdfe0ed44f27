import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { pack } from 'tar-stream'
import { type Release, type SignedRelease, signedTextOf } from '../contract/release.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { VERSION_LABEL } from './own-container.ts'

/** Who signs releases. */
export function releaseKeys() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: (release: Release) => signRelease(release, privateKey),
  }
}

function signRelease(release: Release, key: KeyObject): SignedRelease {
  const manifest = JSON.stringify(release)
  return { manifest, signature: sign(null, Buffer.from(signedTextOf(manifest)), key).toString('base64') }
}

/** The bundle of this working tree, as another version. @param change Makes it another program. */
export async function bundleOf(version: string, change: (text: string) => string = (text) => text): Promise<string> {
  const packageFile = join(import.meta.dirname, '../../package.json')
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    banner: { js: `// agentopia-dtma ${version}` },
    write: false,
    logLevel: 'warning',
    plugins: [
      {
        name: 'version',
        setup({ onLoad }) {
          onLoad({ filter: /dtma\/package\.json$/ }, async () => {
            const manifest = JSON.parse(await readFile(packageFile, 'utf8')) as object
            return { contents: JSON.stringify({ ...manifest, version }), loader: 'json' }
          })
        },
      },
    ],
  })
  return change(outputFiles[0]!.text)
}

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'

/** An image of DTMA as its Dockerfile makes it, but from a bundle that is there. @returns Its id. */
export async function imageOf(docker: DockerApi, tag: string, version: string, bundle: string): Promise<string> {
  const dockerfile = [
    `FROM ${BASE}`,
    'COPY dtma.cjs /opt/dtma/dtma.cjs',
    `LABEL ${VERSION_LABEL}="${version}"`,
    'ENTRYPOINT ["node", "--optimize-for-size", "--max-semi-space-size=2", "/opt/dtma/dtma.cjs"]',
  ]
  const tar = pack()
  tar.entry({ name: 'Dockerfile' }, dockerfile.join('\n'))
  tar.entry({ name: 'dtma.cjs' }, bundle)
  tar.finalize()
  const signal = AbortSignal.timeout(120_000)
  for await (const { error } of docker.buildImage(tag, Readable.from(tar), signal)) if (error) throw new Error(error)
  return (await docker.inspectImage(tag, signal))!.Id
}

/** `docker save`, compressed, and what a release says of it. */
export async function archiveOf(
  socketPath: string,
  id: string,
): Promise<{ bytes: Buffer; image: NonNullable<Release['image']> }> {
  const path = `/images/${encodeURIComponent(id)}/get`
  const call = { what: 'save the image', method: 'GET', path, deadlineMs: 60_000 } as const
  const bytes = gzipSync(await buffer(await createEngineHttp(socketPath).stream(call, AbortSignal.timeout(120_000))), {
    level: 1,
  })
  return { bytes, image: { id, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') } }
}
