import { Toolbox } from '@agentopia/api'
import { apiOf, createEmulator, type Emulator } from '@agentopia/testbed/emulator'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type As, jsonOf, openTestControlPlane, signedIn, type TestControlPlane } from '../../control-plane.testing.ts'
import { newId } from '../../new-id.ts'
import { systemClock } from '../../reconcile/clock.ts'
import { providers } from '../../store/schema/index.ts'

// Whose the droplets are: a token of another team at DigitalOcean finds none of them.

const PATH = '/api/providers/digitalocean'
/** All that a new droplet takes; whose the token is, it may not say. */
const MAY_MAKE = new Set(['regions', 'sizes', 'image', 'droplet', 'firewall'].map((noun) => `${noun}:read`)).union(
  new Set(['droplet:create', 'tag:create', 'firewall:create']),
)
const DROPLET = { provider: 'digitalocean', name: 'd', region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-12-x64' }

const nobody = createEmulator({ token: 'dop_v1_nobody_gives_this' })
const teams: [Emulator, ...Emulator[]] = [nobody]
let plane: TestControlPlane
beforeAll(async () => {
  const fetch: typeof globalThis.fetch = (input, init) => apiOf(teams)(input, init)
  plane = await openTestControlPlane(systemClock, { publicUrl: 'http://control-plane.example', fetch })
})
afterAll(() => plane.close())

/** A token of a team, which is one by its uuid alone. */
function tokenOf(uuid: string): Emulator {
  const emulator = createEmulator({ token: `dop_v1_${newId('act')}`, team: { uuid, name: uuid } })
  teams.push(emulator)
  return emulator
}

async function account() {
  const accountId = `account_${newId('act').slice(4)}`
  const { userId: _, ...as } = await signedIn(plane, accountId, 'admin')
  return { as: as as As, accountId }
}
const give = (as: As, { world }: Emulator) => plane.send('PUT', PATH, as, { token: world.token })
async function makeDroplet(as: As, { world }: Emulator): Promise<string> {
  const made = await plane.send('POST', '/api/toolboxes', as, DROPLET)
  const { id } = Toolbox.parse(await made.json())
  await vi.waitFor(() => expect(world.droplets.size).toBe(1), { timeout: 10_000, interval: 50 })
  return id
}
const stored = async (accountId: string) =>
  (await plane.store.system((tx) => tx.select().from(providers).where(eq(providers.accountId, accountId))))[0]

test('while droplets are left a token of another team is refused, and the one before stays in use', async () => {
  const [ours, theirs] = [tokenOf('ours'), tokenOf('theirs')]
  const { as, accountId } = await account()
  await give(as, ours)
  const toolboxId = await makeDroplet(as, ours)
  const answer = await give(as, theirs)
  const { code, detail } = await jsonOf(answer)
  expect([answer.status, code]).toEqual([409, 'provider-in-use'])
  expect(detail).toMatch(/another team.*1 toolbox\(es\)/)
  expect(await stored(accountId)).toMatchObject({ hint: ours.world.token.slice(-4), teamId: 'ours' })

  await plane.request('DELETE', `/api/toolboxes/${toolboxId}?confirm=${DROPLET.name}`, as)
  await vi.waitFor(() => expect(ours.world.droplets.size).toBe(0), { timeout: 10_000, interval: 50 })
})

test('while droplets are left another token of the same team is taken', async () => {
  const [before, after] = [tokenOf('one'), tokenOf('one')]
  const { as, accountId } = await account()
  await give(as, before)
  await makeDroplet(as, before)
  expect((await give(as, after)).status).toBe(200)
  expect(await stored(accountId)).toMatchObject({ hint: after.world.token.slice(-4), teamId: 'one' })
})

test('while no droplet is left a token of another team is taken, and is the one that counts from then on', async () => {
  const [before, after] = [tokenOf('before'), tokenOf('after')]
  const { as, accountId } = await account()
  await give(as, before)
  expect((await give(as, after)).status).toBe(200)
  expect(await stored(accountId)).toMatchObject({ teamId: 'after' })
  await makeDroplet(as, after)
  expect((await give(as, before)).status).toBe(409)
})

test('a token that may not say whose it is, is taken; whose the droplets are stays known', async () => {
  const [ours, silent, theirs] = [tokenOf('ours'), tokenOf('theirs'), tokenOf('theirs')]
  silent.knobs.scopes = MAY_MAKE
  const { as, accountId } = await account()
  await give(as, ours)
  await makeDroplet(as, ours)
  expect((await give(as, silent)).status).toBe(200)
  expect(await stored(accountId)).toMatchObject({ hint: silent.world.token.slice(-4), teamId: 'ours' })
  expect((await give(as, theirs)).status).toBe(409)
  expect((await give(as, ours)).status).toBe(200)
})

test('of droplets that such a token made nobody knows whose they are: no token is refused', async () => {
  const [ours, silent, theirs] = [tokenOf('ours'), tokenOf('theirs'), tokenOf('theirs')]
  silent.knobs.scopes = MAY_MAKE
  const { as, accountId } = await account()
  await give(as, ours)
  await give(as, silent)
  expect(await stored(accountId)).toMatchObject({ teamId: null })
  await makeDroplet(as, silent)
  expect((await give(as, theirs)).status).toBe(200)
})
