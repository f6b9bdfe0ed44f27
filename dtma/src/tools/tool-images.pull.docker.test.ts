import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import type { RegistryCredential } from '../engine/registry-auth.ts'
import { selfSigned } from '../http/self-signed.ts'
import { dockerBridgeAddress } from './docker-bridge.testing.ts'
import { NO_IMAGE_SOURCES } from './image-sources.ts'
import type { Progress } from './pull-progress.ts'
import { layerOf, openTestRegistry, type TestRegistry } from './registry.testing.ts'
import { plainImages } from './tool-images.testing.ts'

const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const run = randomBytes(4).toString('hex')
const repository = `test/${run}`
const known = new Map<string, RegistryCredential>()
const images = plainImages(docker, {
  runnerBase: async () => '',
  sources: { ...NO_IMAGE_SOURCES, credential: async (host) => known.get(host) },
})
let registry: TestRegistry
let digest = ''
let image = ''
const pulled = new Set<string>()

const imageWith = async (text: string) => ({
  config: { Entrypoint: [`/${text}`], Volumes: { '/data': {} }, Labels: { 'dtma.claim': 'stolen' } },
  layers: [await layerOf({ [`file-${run}`]: text + randomBytes(100_000).toString('hex') })],
})

beforeAll(async () => {
  registry = await openTestRegistry()
  digest = registry.put(repository, '1.0', await imageWith('first'))
  image = `${registry.host}/${repository}@${digest}`
})
afterEach(async () => {
  for (const key of Object.keys(registry.manners) as (keyof typeof registry.manners)[]) delete registry.manners[key]
  known.clear()
  for (const reference of pulled) await images.remove(reference, never)
  pulled.clear()
})
afterAll(() => registry.close())

const specOf = (reference: string) =>
  ToolSpec.parse({ package: { type: 'oci', image: reference }, transport: { type: 'stdio' } })
const pull = async (reference: string, pins?: Record<string, string>, heard: Progress[] = [], signal = never) => {
  const made = await images.make(
    { spec: specOf(reference), pins },
    (progress) => heard.push(progress),
    AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
  )
  pulled.add(made)
  return made
}

test('an image is pulled by its digest, with progress, and found and removed by it', async () => {
  const spec = specOf(image)
  expect(await images.find({ spec }, never)).toBeUndefined()
  const heard: Progress[] = []
  expect(await pull(image, {}, heard)).toBe(image)
  expect(heard.at(-1)).toEqual({ step: 'Pulling: 1 of 1 layers', percent: 100 })

  expect((await images.find({ spec }, never))!.details).toMatchObject({
    RepoDigests: [image],
    Config: { Volumes: ['/data'], Labels: { 'dtma.claim': 'stolen' } },
  })
  await images.remove(image, never)
  await images.remove(image, never)
  expect(await images.find({ spec }, never)).toBeUndefined()
})

test('a tag is looked up once: what is pinned is what it meant then, and no tag of the machine is moved', async () => {
  const tagged = `${registry.host}/${repository}:1.0`
  expect(await images.find({ spec: specOf(tagged) }, never)).toBeUndefined()
  const pin = await pull(tagged)
  expect(pin).toBe(image)
  expect(await docker.inspectImage(tagged, never)).toBeUndefined()

  registry.put(repository, '1.0', await imageWith('second'))
  const pins = { [tagged]: pin }
  const before = registry.asked.manifests
  expect((await images.find({ spec: specOf(tagged), pins }, never))!.reference).toBe(image)
  expect(registry.asked.manifests).toBe(before)
  await images.remove(image, never)
  expect(await pull(tagged, pins)).toBe(image)
  registry.put(repository, '1.0', await imageWith('first'))
})

test('a registry that wants credentials gets those of the control plane, and they stay nowhere', async () => {
  registry.manners.only = { username: 'robot', password: 'open-sesame' }
  await expect(pull(image)).rejects.toMatchObject({ reason: 'image_auth', lasting: true })

  known.set(registry.host, registry.manners.only)
  expect(await pull(image)).toBe(image)
  expect([...registry.presented]).toEqual(['robot:open-sesame'])
  expect(JSON.stringify(await images.find({ spec: specOf(image) }, never))).not.toContain('open-sesame')
  await images.remove(image, never)

  known.set(registry.host, { username: 'robot', password: 'wrong-one' })
  const refused = await pull(image).catch((error: Error) => error)
  expect(refused).toMatchObject({ reason: 'image_auth', message: expect.stringContaining('robot') })
  expect(String(refused)).not.toContain('wrong-one')
})

test('C12 a slow pull is given up at once when nobody wants it any more', async () => {
  registry.manners.drip = { bytes: 1_000, everyMs: 200 }
  const stop = new AbortController()
  const heard: Progress[] = []
  const work = pull(image, {}, heard, stop.signal)
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThan(2)
  stop.abort(new Error('enough'))
  await expect(work).rejects.toThrow('enough')
  delete registry.manners.drip
  expect(await pull(image)).toBe(image)
})

test.each([
  ['404: a digest that it does not have', {}, 'digest', 'image_not_found', true],
  ['404: a tag that it does not have', {}, 'tag', 'image_not_found', true],
  ['401: other credentials', { only: { username: 'a', password: 'b' } }, 'image', 'image_auth', true],
  ['403: forbidden', { status: 403 }, 'image', 'image_auth', true],
  ['429: too many requests', { status: 429 }, 'image', 'registry_unreachable', false],
  ['500: out of order', { status: 500 }, 'image', 'registry_unreachable', false],
  ['other bytes than the digest names', { altered: true }, 'image', 'image_invalid', true],
  ['an image for other machines only', {}, 'foreign', 'image_invalid', true],
] as const)(
  'D12 what a registry answers is told by a reason of its own: %s',
  async (_, manners, what, reason, lasting) => {
    registry.putForeign(repository, 'foreign')
    Object.assign(registry.manners, manners)
    const references = {
      image,
      digest: `${registry.host}/${repository}@sha256:${'0'.repeat(64)}`,
      tag: `${registry.host}/${repository}:nonesuch`,
      foreign: `${registry.host}/${repository}:foreign`,
    }
    const failure = await pull(references[what]).catch((error: Error) => error)
    expect(failure).toMatchObject({ name: 'ToolFailure', reason, lasting })
  },
)

test.each([
  ['nobody listens', '127.0.0.1:9/x/y:1'],
  ['no such name', 'registry.invalid/x/y:1'],
])('D12 a registry that cannot be reached is named as such: %s', async (_, reference) => {
  await expect(pull(reference)).rejects.toMatchObject({ reason: 'registry_unreachable', lasting: false })
})

test('D12 a registry whose certificate nobody trusts is named as such', async () => {
  const server = createServer(selfSigned(generateKeyPairSync('ed25519').privateKey)).listen(0, '0.0.0.0')
  await once(server, 'listening')
  try {
    const { port } = server.address() as { port: number }
    const reference = `${await dockerBridgeAddress(docker)}:${port}/x/y:1`
    await expect(pull(reference)).rejects.toMatchObject({
      reason: 'registry_unreachable',
      message: expect.stringContaining('certificate'),
      lasting: false,
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('D12 a registry that accepts and never answers is given up, and named as such', async () => {
  registry.manners.silent = true
  const tag = `${registry.host}/${repository}:1.0`
  const patience = AbortSignal.timeout(120_000)
  const failure = await images.make({ spec: specOf(tag) }, () => undefined, patience).catch((error: Error) => error)
  expect(failure).toMatchObject({ reason: 'registry_unreachable', lasting: false })
  expect(patience.aborted).toBe(false)
}, 130_000)

test('D12 a registry that is slow is waited for', async () => {
  registry.manners.drip = { bytes: 20_000, everyMs: 300 }
  expect(await pull(image)).toBe(image)
})
