import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { extract, pack } from 'tar-stream'

/** How the registry behaves from now on. */
interface Manners {
  /** Whom it lets in; absent: everybody. */
  only?: { readonly username: string; readonly password: string }
  /** Answers every request so. */
  status?: number
  /** Bytes that it sends of a layer before it waits for a while; absent: all at once. */
  drip?: { readonly bytes: number; readonly everyMs: number }
  /** Sends other bytes than the digest names. */
  altered?: boolean
  /** Accepts, and never answers. */
  silent?: boolean
}

/** A registry of images on loopback, to which Docker speaks without TLS. It forgets everything when it is closed. */
export interface TestRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string
  readonly manners: Manners
  /** `Authorization` headers that came, decoded. */
  readonly presented: Set<string>
  /** How often a manifest was asked for. */
  readonly asked: { manifests: number }
  /** Puts an image there, under a tag. @returns Its digest. */
  put(repository: string, tag: string, image: TestImage): string
  /** Puts a list of images there that has none for this machine. */
  putForeign(repository: string, tag: string): void
  close(): Promise<void>
}

export interface TestImage {
  /** The `config` of the image: its command, user, labels … */
  readonly config: object
  /** Tar archives, lowest first. */
  readonly layers: readonly Buffer[]
  /** SHA-256 of the uncompressed layers, when they are compressed. */
  readonly diffIds?: readonly string[]
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
const CONFIG = 'application/vnd.docker.container.image.v1+json'
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** A layer with these files in it. */
export async function layerOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const tar = pack()
  for (const [name, text] of Object.entries(files)) tar.entry({ name, mode: 0o755, mtime: new Date(0) }, text)
  tar.finalize()
  return Buffer.concat(await Readable.from(tar).toArray())
}

/** The layers of an image that Docker has, as it saves them. */
export async function savedLayersOf(image: string): Promise<Buffer[]> {
  const files = new Map<string, Buffer>()
  const entries = extract()
  entries.end(execFileSync('docker', ['save', image], { maxBuffer: 1 << 30 }))
  for await (const entry of entries) {
    const chunks: Buffer[] = []
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk)
    files.set(entry.header.name, Buffer.concat(chunks))
  }
  const [{ Layers }] = JSON.parse(files.get('manifest.json')!.toString()) as [{ Layers: string[] }]
  return Layers.map((name) => files.get(name)!)
}

/** The manifest and configuration of an image, as bytes. */
export function described({ config, layers, diffIds }: TestImage): { config: Buffer; manifest: Buffer } {
  const bytes = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: diffIds ?? layers.map(digestOf) },
    }),
  )
  const entry = (mediaType: string, blob: Buffer) => ({ mediaType, size: blob.length, digest: digestOf(blob) })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: entry(CONFIG, bytes),
      layers: layers.map((layer) => entry(LAYER, layer)),
    }),
  )
  return { config: bytes, manifest }
}

export async function openTestRegistry(): Promise<TestRegistry> {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, { readonly type: string; readonly bytes: Buffer }>()
  const manners: Manners = {}
  const presented = new Set<string>()
  const asked = { manifests: 0 }

  function admits({ headers }: IncomingMessage): boolean {
    const given = Buffer.from(headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString()
    if (given !== '') presented.add(given)
    return !manners.only || given === `${manners.only.username}:${manners.only.password}`
  }

  async function send(request: IncomingMessage, response: ServerResponse, bytes: Buffer): Promise<void> {
    if (request.method === 'HEAD') return void response.end()
    const { drip } = manners
    if (!drip) return void response.end(bytes)
    for (let at = 0; at < bytes.length && !response.destroyed; at += drip.bytes) {
      response.write(bytes.subarray(at, at + drip.bytes))
      await new Promise((resolve) => setTimeout(resolve, drip.everyMs))
    }
    response.end()
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (manners.silent) return
    if (manners.status !== undefined)
      return void response
        .writeHead(manners.status, { 'content-type': 'application/json' })
        .end(
          JSON.stringify({ errors: [{ code: manners.status === 429 ? 'TOOMANYREQUESTS' : 'DENIED', message: 'no' }] }),
        )
    if (!admits(request)) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end()
    const [, repository, kind, name] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? []
    if (kind === undefined) return void response.end('{}')
    if (kind === 'manifests') asked.manifests++
    const found =
      kind === 'manifests'
        ? manifests.get(`${repository} ${name}`)
        : blobs.has(name!) && { type: 'application/octet-stream', bytes: blobs.get(name!)! }
    if (!found)
      return void response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
    const bytes = manners.altered && kind === 'blobs' ? Buffer.alloc(found.bytes.length) : found.bytes
    response.writeHead(200, {
      'content-type': found.type,
      'content-length': bytes.length,
      'docker-content-digest': digestOf(found.bytes),
    })
    void send(request, response, bytes)
  }

  function putManifest(repository: string, tag: string, type: string, bytes: Buffer): string {
    for (const name of [tag, digestOf(bytes)]) manifests.set(`${repository} ${name}`, { type, bytes })
    return digestOf(bytes)
  }

  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as { port: number }).port}`,
    manners,
    presented,
    asked,
    put(repository, tag, image) {
      const { config, manifest } = described(image)
      for (const blob of [config, ...image.layers]) blobs.set(digestOf(blob), blob)
      return putManifest(repository, tag, MANIFEST, manifest)
    },
    putForeign(repository, tag) {
      const platform = { architecture: 's390x', os: 'linux' }
      const only = { mediaType: MANIFEST, size: 1, digest: `sha256:${'0'.repeat(64)}`, platform }
      putManifest(
        repository,
        tag,
        LIST,
        Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: LIST, manifests: [only] })),
      )
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
