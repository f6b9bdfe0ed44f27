import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { ImageArchive } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type As,
  accountWithDtma,
  jsonOf,
  openTestControlPlane,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import type { Tx } from '../store/connect.ts'
import { imageArchives } from '../store/schema/index.ts'
import { deleteArchive, deleteRefused, storeReady } from './archive.store.ts'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

async function account() {
  const { accountId, ...more } = await accountWithDtma(plane, 'admin')
  await plane.store.system((tx) => tx.delete(imageArchives).where(eq(imageArchives.accountId, accountId))) // that of the furniture
  return more
}

async function archive(files: Readonly<Record<string, unknown>> = {}): Promise<Buffer> {
  const tar = pack()
  const manifest = [{ Config: 'c.json', RepoTags: ['team/server:1.0'], Layers: ['layer.tar'] }]
  const all = {
    'c.json': { architecture: 'amd64', os: 'linux' },
    'layer.tar': newId('act').repeat(4_000),
    'manifest.json': manifest,
    ...files,
  }
  for (const [name, content] of Object.entries(all)) {
    if (content !== undefined) tar.entry({ name }, typeof content === 'string' ? content : JSON.stringify(content))
  }
  tar.finalize()
  return Buffer.concat(await Readable.from(tar).toArray())
}

const hashOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const begin = (as: As, digest: string, size: number) => plane.send('POST', '/api/images', as, { digest, size })
const send = (as: As, digest: string, offset: number, part: Buffer) =>
  plane.request('PUT', `/api/images/${digest}/parts/${offset}`, as, {
    body: new Uint8Array(part),
    headers: { 'content-type': 'application/octet-stream' },
  })
async function push(as: As, bytes: Buffer, digest = hashOf(bytes)): Promise<Response> {
  await begin(as, digest, bytes.length)
  await send(as, digest, 0, bytes.subarray(0, 10_000))
  return send(as, digest, 10_000, bytes.subarray(10_000))
}
const list = async (as: As) => (await jsonOf(await plane.request('GET', '/api/images', as))).items

test.each([
  ['as it is', (bytes: Buffer) => bytes],
  ['compressed', (bytes: Buffer) => gzipSync(bytes, { level: 0 })],
])('an archive comes in parts, %s, is checked when it is whole, and can be removed', async (_, form) => {
  const { as } = await account()
  const bytes = form(await archive())
  const answer = await push(as, bytes)
  expect(answer.status).toBe(200)
  expect(ImageArchive.parse(await answer.json())).toMatchObject({
    digest: hashOf(bytes),
    size: bytes.length,
    received: bytes.length,
    state: 'ready',
    image: 'team/server:1.0',
    architecture: 'amd64',
  })
  expect(await list((await account()).as)).toEqual([])
  expect((await plane.request('DELETE', `/api/images/${hashOf(bytes)}`, as)).status).toBe(204)
  expect(await list(as)).toEqual([])
})

test('an upload that was interrupted goes on where it ended, and a part that comes twice changes nothing', async () => {
  const { as } = await account()
  const bytes = await archive()
  const digest = hashOf(bytes)
  await begin(as, digest, bytes.length)
  await send(as, digest, 0, bytes.subarray(0, 30_000))
  const again = await send(as, digest, 0, bytes.subarray(0, 30_000))
  expect([again.status, (await jsonOf(again)).code]).toEqual([409, 'wrong-offset'])
  expect(await (await begin(as, digest, bytes.length)).json()).toMatchObject({ received: 30_000, state: 'receiving' })
  expect(await (await send(as, digest, 30_000, bytes.subarray(30_000))).json()).toMatchObject({ state: 'ready' })
  expect((await jsonOf(await send(as, digest, bytes.length, Buffer.from('x')))).code).toBe('wrong-offset')
})

test.each([
  ['other bytes than its digest names', {}, `sha256:${'1'.repeat(64)}`, /not those of its digest/],
  ['no manifest', { 'manifest.json': undefined }, undefined, /no manifest/],
  [
    'two images',
    {
      'manifest.json': [
        { Config: 'c.json', Layers: ['l'] },
        { Config: 'c.json', Layers: ['l'] },
      ],
    },
    undefined,
    /exactly one image/,
  ],
  ['no configuration', { 'c.json': undefined }, undefined, /configuration/],
  ['an image for Windows', { 'c.json': { os: 'windows' } }, undefined, /Linux/],
] as const)('an archive with %s is refused, and nothing of it stays', async (_, files, digest, message) => {
  const { as } = await account()
  const answer = await push(as, await archive(files), digest)
  const { code, detail } = await jsonOf(answer)
  expect([answer.status, code]).toEqual([422, 'invalid-image'])
  expect(detail).toMatch(message)
  expect(await list(as)).toEqual([])
})

test('what is removed while it is looked at is gone, and what has begun anew meanwhile goes on', async () => {
  const { accountId, as } = await accountWithDtma(plane, 'admin')
  const bytes = await archive()
  const row = (received: number) => ({ accountId, digest: hashOf(bytes), size: bytes.length, received })
  const tenant = <Result>(act: (tx: Tx) => Promise<Result>) => plane.store.tenant(accountId, act)
  const whole = (await tenant((tx) => tx.insert(imageArchives).values(row(bytes.length)).returning()))[0]!
  await tenant((tx) => deleteArchive(tx, whole.digest))
  // Nothing of it is here any more: no fault of ours, and none of what was sent.
  await tenant((tx) => tx.insert(imageArchives).values(row(bytes.length)))
  expect((await jsonOf(await begin(as, whole.digest, whole.size))).code).toBe('invalid-image')
  await begin(as, whole.digest, whole.size)
  await send(as, whole.digest, 0, bytes.subarray(0, 10_000))
  expect(await tenant((tx) => storeReady(tx, whole, {}))).toBeUndefined()
  expect(await tenant((tx) => deleteRefused(tx, whole))).toBe(false)
  expect(await (await send(as, whole.digest, 10_000, bytes.subarray(10_000))).json()).toMatchObject({ state: 'ready' })
})

test('what is larger than announced, or than may be, is not taken', async () => {
  const { as } = await account()
  const digest = `sha256:${'2'.repeat(64)}`
  expect((await jsonOf(await send(as, digest, 0, Buffer.from('x')))).code).toBe('image-not-found')
  await begin(as, digest, 10)
  expect((await jsonOf(await send(as, digest, 0, Buffer.alloc(11)))).code).toBe('invalid-image')
  expect((await send(as, digest, 0, Buffer.alloc(8 * 2 ** 20 + 1))).status).toBe(413)
  expect((await begin(as, `sha256:${'3'.repeat(64)}`, 5 * 2 ** 30)).status).toBe(400)
  for (let i = 0; i < 4; i++) await begin(as, `sha256:${String(i + 4).repeat(64)}`, 4 * 2 ** 30)
  expect((await jsonOf(await begin(as, `sha256:${'f'.repeat(64)}`, 4 * 2 ** 30))).code).toBe('image-limit')
})

test('K05 a toolbox gets the archive that one of its tools is made of, whole, and nobody else does', async () => {
  const home = await account()
  const bytes = await archive()
  const digest = hashOf(bytes)
  await push(home.as, bytes)
  const fetchBy = (token: string) =>
    plane.request('GET', `/dtma/archives/${digest}`, { authorization: `Bearer ${token}` } as As)
  expect((await fetchBy(home.token)).status).toBe(404)

  const spec = { package: { type: 'oci', image: 'team/server:1.0', archive: digest }, transport: { type: 'stdio' } }
  await plane.send('POST', '/api/catalog', home.as, { id: 'own', title: 'Own', spec })
  await plane.send('POST', `/api/toolboxes/${home.toolboxId}/tools`, home.as, { toolId: 'own', name: 'own' })
  const answer = await fetchBy(home.token)
  expect(answer.headers.get('content-length')).toBe(String(bytes.length))
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true)
  expect((await fetchBy((await account()).token)).status).toBe(404)
  expect((await fetchBy('dtma-token-that-is-none')).status).toBe(401)
  expect((await jsonOf(await plane.request('DELETE', `/api/images/${digest}`, home.as))).code).toBe('image-in-use')
})
