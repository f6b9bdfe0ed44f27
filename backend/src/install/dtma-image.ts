import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Docker } from '../providers/local/docker.ts'

/** The image of DTMA, for machines that have no registry to pull it from. */
export interface DtmaImage {
  readonly name: string
  /** `sha256:…`; `undefined` when Docker has no such image. @throws {ProviderError} When Docker does not answer. */
  id(signal: AbortSignal): Promise<string | undefined>
  /** Version of DTMA in it; `undefined` when there is no such image, or it does not say. @throws {ProviderError} As above. */
  version(signal: AbortSignal): Promise<string | undefined>
  /** What `open` gives out now. @throws {Error} When Docker does not export it. */
  exported(signal: AbortSignal): Promise<ExportedImage | undefined>
  /** Has it ready for when it is asked for. */
  prepare(): Promise<void>
  /** What `docker load` takes, compressed. `undefined` for every other image. */
  open(id: string): Promise<{ readonly size: number; readonly body: Readable } | undefined>
}

interface ExportedImage {
  /** `sha256:…` */
  readonly id: string
  /** Of the compressed archive, hex. */
  readonly sha256: string
  /** Bytes. */
  readonly size: number
}

/** In which DTMA's image says its version. */
const VERSION_LABEL = 'agentopia.dtma.version'

export interface DtmaImageConfig {
  readonly docker: Docker
  readonly socketPath: string
  readonly name: string
  /** Holds the exported image; made when absent. */
  readonly directory: string
}

const EXPORT_MS = 300_000
/** Fast: the network between machines is seldom the slowest part, a small machine's processor often is. */
const GZIP_LEVEL = 1

export function createDtmaImage({ docker, socketPath, name, directory }: DtmaImageConfig): DtmaImage {
  const exporting = new Map<string, Promise<string>>()
  const digests = new Map<string, string>()

  /** Exports once per image, whole or not at all; earlier images make room. */
  async function exported(id: string): Promise<string> {
    const file = `${id.replace(':', '-')}.tar.gz`
    const path = join(directory, file)
    if (await exists(path)) return path
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const scratch = `${path}.${process.pid}`
    try {
      const source = await openExport(socketPath, id, AbortSignal.timeout(EXPORT_MS))
      await pipeline(
        source,
        createGzip({ level: GZIP_LEVEL }),
        createWriteStream(scratch, { mode: 0o600, flush: true }),
      )
      await rename(scratch, path)
    } finally {
      await rm(scratch, { force: true })
    }
    for (const other of await readdir(directory)) if (other !== file) await rm(join(directory, other), { force: true })
    return path
  }

  function ready(id: string): Promise<string> {
    const running = exporting.get(id) ?? exported(id).finally(() => exporting.delete(id))
    exporting.set(id, running)
    return running
  }

  return {
    name,
    version: async (signal) => (await docker.imageLabels(name, signal))?.[VERSION_LABEL],
    async exported(signal) {
      const id = await docker.imageId(name, signal)
      if (id === undefined) return undefined
      const path = await ready(id)
      const sha256 = digests.get(path) ?? (await digestOf(path))
      digests.set(path, sha256)
      return { id, sha256, size: (await stat(path)).size }
    },
    async prepare() {
      const id = await docker.imageId(name, AbortSignal.timeout(EXPORT_MS))
      if (id) await ready(id)
    },
    id: (signal) => docker.imageId(name, signal),
    async open(id) {
      if (id !== (await docker.imageId(name, AbortSignal.timeout(EXPORT_MS)))) return undefined
      const path = await ready(id)
      return { size: (await stat(path)).size, body: createReadStream(path) }
    },
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** `docker save`, as a stream. */
function openExport(socketPath: string, id: string, signal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, path: `/images/${encodeURIComponent(id)}/get`, agent: false, signal },
      (response) => {
        if (response.statusCode === 200) return resolve(response)
        response.resume()
        reject(new Error(`Docker answered the export of the image with HTTP ${response.statusCode}`))
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}
