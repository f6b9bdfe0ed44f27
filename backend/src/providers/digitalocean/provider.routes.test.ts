import { DropletOptions, ProviderState, Toolbox } from '@agentopia/api'
import { createEmulator } from '@agentopia/testbed/emulator'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type As, jsonOf, openTestControlPlane, signedIn, type TestControlPlane } from '../../control-plane.testing.ts'
import { newId } from '../../new-id.ts'
import { systemClock } from '../../reconcile/clock.ts'
import { activities, providers } from '../../store/schema/index.ts'

const emulator = createEmulator()
const { token } = emulator.world
const PUBLIC_URL = 'http://control-plane.example'
const PATH = '/api/providers/digitalocean'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane(systemClock, { publicUrl: PUBLIC_URL, fetch: emulator.fetch })
})
afterAll(() => plane.close())

const admin = async (): Promise<As> => {
  const { userId: _, ...headers } = await signedIn(plane, `account_${newId('act').slice(4)}`, 'admin')
  return headers
}
const give = (as: As, given = token) => plane.send('PUT', PATH, as, { token: given })
const state = async (as: As) => ProviderState.parse(await (await plane.request('GET', PATH, as)).json())

test('a token is checked, stored sealed, and never shown again', async () => {
  const as = await admin()
  expect(await state(as)).toEqual({ configured: false, missingScopes: [] })
  const answer = await give(as)
  expect(answer.status).toBe(200)
  const given = await answer.text()
  expect(ProviderState.parse(JSON.parse(given))).toMatchObject({
    configured: true,
    hint: token.slice(-4),
    missingScopes: [],
  })
  const rows = await plane.store.system(async (tx) => [
    await tx.select().from(providers),
    await tx.select().from(activities),
  ])
  expect(JSON.stringify([given, await state(as), rows])).not.toContain(token)
})

test('a token that is none is refused, and nothing is stored', async () => {
  const as = await admin()
  const answer = await give(as, 'dop_v1_somebody-made-this-up')
  expect([answer.status, (await jsonOf(answer)).code]).toEqual([422, 'provider-refused'])
  expect((await state(as)).configured).toBe(false)
})

test('a token that lacks rights is stored, with their names', async () => {
  const as = await admin()
  emulator.knobs.scopes = new Set(['account:read', 'regions:read', 'sizes:read', 'image:read', 'droplet:read'])
  await give(as)
  emulator.knobs.scopes = 'all'
  expect((await state(as)).missingScopes).toEqual([
    'droplet:create',
    'droplet:delete',
    'droplet:update',
    'snapshot:read',
    'snapshot:delete',
    'reserved_ip:read',
    'reserved_ip:create',
    'reserved_ip:update',
    'reserved_ip:delete',
    'tag:create',
    'tag:delete',
    'firewall:read',
    'firewall:create',
    'firewall:update',
  ])
})

test('one account does not see or use the token of another', async () => {
  await give(await admin())
  const other = await admin()
  expect((await state(other)).configured).toBe(false)
  const options = await plane.request('GET', `${PATH}/options`, other)
  expect([options.status, (await jsonOf(options)).code]).toEqual([409, 'provider-not-configured'])
})

test('regions, sizes with prices, and images are offered; they are asked for once an hour', async () => {
  const as = await admin()
  await give(as)
  const before = emulator.world.calls.length
  const read = async () => DropletOptions.parse(await (await plane.request('GET', `${PATH}/options`, as)).json())
  const { sizes, images } = await read()
  expect(sizes[0]).toEqual({
    slug: 's-1vcpu-512mb-10gb',
    memoryMb: 512,
    vcpus: 1,
    diskGb: 10,
    monthlyUsd: 4,
    regions: expect.arrayContaining(['nyc3']),
  })
  expect(images.map(({ slug }) => slug)).toContain('debian-12-x64')
  await read()
  expect(emulator.world.calls.length - before).toBe(3)
})

test('P06 what cannot be had is refused before anything is written down', async () => {
  const as = await admin()
  await give(as)
  const droplet = { provider: 'digitalocean', name: 'd', region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-12-x64' }
  for (const over of [{ size: 'no-such-size' }, { region: 'mars1' }, { image: 'no-such-image' }]) {
    const answer = await plane.send('POST', '/api/toolboxes', as, { ...droplet, ...over })
    expect([answer.status, (await jsonOf(answer)).code]).toEqual([422, 'provider-refused'])
  }
  const made = await plane.send('POST', '/api/toolboxes', as, droplet)
  const toolbox = Toolbox.parse(await made.json())
  expect([made.status, toolbox.placement]).toEqual([
    202,
    { region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-12-x64', monthlyUsd: 6 },
  ])
  const forgotten = await plane.request('DELETE', PATH, as)
  expect([forgotten.status, (await jsonOf(forgotten)).code]).toEqual([409, 'provider-in-use'])
})

test('a token that nothing needs is forgotten', async () => {
  const as = await admin()
  await give(as)
  expect((await plane.request('DELETE', PATH, as)).status).toBe(204)
  expect((await state(as)).configured).toBe(false)
})

test('twelve droplets at once are twelve, with few calls each', async () => {
  // Of their own: what other tests ask counts against the same limit of calls a minute.
  const cloud = createEmulator()
  const own = await openTestControlPlane(systemClock, { publicUrl: PUBLIC_URL, fetch: cloud.fetch })
  const { userId: _, ...as } = await signedIn(own, 'account_twelve', 'admin')
  await own.send('PUT', PATH, as, { token })
  const callsBefore = cloud.world.calls.length
  const droplet = { provider: 'digitalocean', region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-12-x64' }
  const asked = Array.from({ length: 12 }, (_, n) =>
    own.send('POST', '/api/toolboxes', as, { ...droplet, name: `box-${n}` }),
  )
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 202))
  const statuses = async () => {
    const { items } = (await (await own.request('GET', '/api/toolboxes', as)).json()) as {
      items: { status: string }[]
    }
    return new Set(items.map(({ status }) => status))
  }
  await vi.waitFor(async () => expect(await statuses()).toEqual(new Set(['awaiting_heartbeat'])), {
    timeout: 20_000,
    interval: 200,
  })
  expect(cloud.world.droplets.size).toBe(12)
  expect((cloud.world.calls.length - callsBefore) / 12).toBeLessThan(10)
  await own.close()
})
