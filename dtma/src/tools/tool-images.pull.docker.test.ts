import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import type { Progress } from './pull-progress.ts'
import { runnerBaseOf } from './runner-base.ts'
import { createToolImages } from './tool-images.ts'

const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const images = createToolImages({
  docker,
  runnerBase: runnerBaseOf(docker, async () => []),
  owner: 'nobody',
})
const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const run = randomBytes(4).toString('hex')

/** A registry of our own with one small image in it. Docker speaks to loopback without TLS. */
let registry: Server
let host = ''
let image = ''
const blobs = new Map<string, Buffer>()
let mode: 'well' | 'closed' = 'well'

beforeAll(async () => {
  const tar = pack()
  tar.entry({ name: `file-${run}` }, randomBytes(200_000).toString('hex'))
  tar.finalize()
  const layer = Buffer.concat(await Readable.from(tar).toArray())
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: [`/file-${run}`], Volumes: { '/data': {} }, Labels: { 'dtma.claim': 'stolen' } },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: config.length,
        digest: digestOf(config),
      },
      layers: [
        { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: layer.length, digest: digestOf(layer) },
      ],
    }),
  )
  for (const blob of [layer, config, manifest]) blobs.set(digestOf(blob), blob)

  registry = createServer((request, response) => {
    if (mode === 'closed') return void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    const digest = /\/(?:manifests|blobs)\/(sha256:\w+)$/.exec(request.url ?? '')?.[1]
    const blob = digest === undefined ? Buffer.from('{}') : blobs.get(digest)
    if (!blob)
      return void response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
    const type = request.url!.includes('/manifests/')
      ? 'application/vnd.docker.distribution.manifest.v2+json'
      : 'application/octet-stream'
    response.writeHead(200, {
      'content-type': type,
      'content-length': blob.length,
      'docker-content-digest': digest ?? '',
    })
    response.end(request.method === 'HEAD' ? undefined : blob)
  }).listen(0, '127.0.0.1')
  await once(registry, 'listening')
  host = `127.0.0.1:${(registry.address() as { port: number }).port}`
  image = `${host}/test/${run}@${digestOf(manifest)}`
})
afterAll(async () => {
  await images.remove(image, never)
  registry.closeAllConnections()
  registry.close()
})

const specOf = (reference: string) =>
  ToolSpec.parse({ package: { type: 'oci', image: reference }, transport: { type: 'stdio' } })
const pull = (reference: string, heard: Progress[] = []) =>
  images.make(specOf(reference), (progress) => heard.push(progress), never)

test('an image is pulled by its digest, with progress, and found and removed by it', async () => {
  expect((await images.find(specOf(image), never)).details).toBeUndefined()
  const heard: Progress[] = []
  expect(await pull(image, heard)).toBe(image)
  expect(heard.at(-1)).toEqual({ step: 'Pulling: 1 of 1 layers', percent: 100 })

  const { details } = await images.find(specOf(image), never)
  expect(details).toMatchObject({
    RepoDigests: [image],
    Config: { Volumes: ['/data'], Labels: { 'dtma.claim': 'stolen' } },
  })
  await images.remove(image, never)
  await images.remove(image, never)
  expect((await images.find(specOf(image), never)).details).toBeUndefined()
})

test('D12: a digest that the registry does not have is named as such', async () => {
  const failure = pull(`${host}/test/${run}@sha256:${'0'.repeat(64)}`)
  await expect(failure).rejects.toMatchObject({ reason: 'image_not_found', lasting: true })
})

test('D12: a registry that wants other credentials is named as such', async () => {
  mode = 'closed'
  await expect(pull(image)).rejects.toMatchObject({ reason: 'image_auth' })
  mode = 'well'
})
