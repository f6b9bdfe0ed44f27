import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { docker } from './machine.ts'

const execute = promisify(execFile)

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const CONFIG = 'application/vnd.docker.container.image.v1+json'
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip' // Docker looks whether it is compressed

/** A registry that holds one image of this machine's Docker. It speaks HTTP, so that a machine must be told that it may. */
export interface ImageRegistry extends AsyncDisposable {
  /** Reference under which machines pull the image. */
  readonly image: string
  readonly host: string
  /** `METHOD path status`, in order. */
  readonly calls: readonly string[]
}

export interface RegistryLogin {
  readonly user: string
  readonly password: string
}

/** @param address At which machines reach it. @param login Absent: it is open to all. */
export async function openRegistry(name: string, address: string, login?: RegistryLogin): Promise<ImageRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'agentopia-registry-'))
  const tar = join(folder, 'image.tar')
  await docker(['save', '--output', tar, name])
  await execute('tar', ['-xf', tar, '-C', folder])
  await rm(tar)
  const [saved] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as [
    { Config: string; Layers: string[] },
  ]
  const blobs = new Map<string, string>()
  const blobOf = async (file: string, mediaType: string) => {
    const path = join(folder, file)
    const digest = await digestOf(path)
    blobs.set(digest, path)
    return { mediaType, size: (await stat(path)).size, digest }
  }
  const config = await blobOf(saved.Config, CONFIG)
  const layers = await Promise.all(saved.Layers.map((layer) => blobOf(layer, LAYER)))
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers })
  const manifestDigest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`
  const expected = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
  const calls: string[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.once('close', () => calls.push(`${request.method} ${request.url} ${response.statusCode}`))
    if (expected && request.headers.authorization !== expected)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end()
    const asked = /^\/v2\/(?:dtma\/(manifests|blobs)\/(.+))?$/.exec(request.url ?? '')
    const [, kind, reference] = asked ?? []
    const blob = blobs.get(reference ?? '')
    if (asked && !kind) return void response.writeHead(200).end('{}')
    if (kind === 'manifests' && ['1', manifestDigest].includes(reference ?? ''))
      return void response
        .writeHead(200, {
          'content-type': MANIFEST,
          'content-length': manifest.length,
          'docker-content-digest': manifestDigest,
        })
        .end(request.method === 'HEAD' ? undefined : manifest)
    if (kind !== 'blobs' || !blob) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-length': (await stat(blob)).size })
    await pipeline(createReadStream(blob), response)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy()) // who pulls has left
  }).listen(0, '0.0.0.0')
  await once(server, 'listening')
  const host = `${address}:${(server.address() as AddressInfo).port}`
  return {
    host,
    image: `${host}/dtma:1`,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return `sha256:${hash.digest('hex')}`
}
