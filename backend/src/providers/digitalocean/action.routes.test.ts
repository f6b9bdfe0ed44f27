import { DropletAction, type NewDropletAction, Snapshot, Toolbox } from '@agentopia/api'
import { createEmulator, type Emulator } from '@agentopia/testbed/emulator'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { type As, jsonOf, openTestControlPlane, signedIn, type TestControlPlane } from '../../control-plane.testing.ts'
import { newId } from '../../new-id.ts'
import { systemClock } from '../../reconcile/clock.ts'
import { activities, toolboxes } from '../../store/schema/index.ts'

/** Accounts at DigitalOcean, by token: each counts its own calls a minute. */
const accounts = new Map<string, Emulator>()
const newAccount = (): Emulator => {
  const token = `dop_v1_${newId('act')}`
  const emulator = createEmulator({ token, knobs: { bootMs: 0, actionMs: 50 } })
  accounts.set(`Bearer ${token}`, emulator)
  return emulator
}
const digitalOcean: typeof fetch = (input, init) =>
  accounts.get(new Request(input, init).headers.get('authorization') ?? '')!.fetch(input, init)

const PUBLIC_URL = 'http://control-plane.example'
const PROVIDER = '/api/providers/digitalocean'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane(systemClock, { publicUrl: PUBLIC_URL, fetch: digitalOcean })
})
afterAll(() => plane.close())

/** An account with a droplet that is there. */
async function scene(emulator = newAccount()) {
  const accountId = `account_${newId('act').slice(4)}`
  const { userId: _, ...as } = await signedIn(plane, accountId, 'admin')
  await plane.send('PUT', PROVIDER, as, { token: emulator.world.token })
  const create = (over: object = {}, who: As = as) =>
    plane.send('POST', '/api/toolboxes', who, {
      ...{ provider: 'digitalocean', name: 'alpha', region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-12-x64' },
      ...over,
    })
  const { id } = Toolbox.parse(await (await create()).json())
  const read = async () => Toolbox.parse(await (await plane.request('GET', `/api/toolboxes/${id}`, as)).json())
  await vi.waitFor(async () => expect((await read()).dropletId).toBeDefined(), { timeout: 15_000, interval: 50 })
  const path = `/api/toolboxes/${id}/droplet-actions`
  const ask = (body: NewDropletAction | object, headers: As = as) => plane.send('POST', path, headers, body)
  const list = async () => {
    const answer = (await (await plane.request('GET', path, as)).json()) as { items: unknown[] }
    return z.array(DropletAction).parse(answer.items)
  }
  const snapshots = async (who: As = as) => {
    const answer = (await (await plane.request('GET', `${PROVIDER}/snapshots`, who)).json()) as { items: unknown[] }
    return z.array(Snapshot).parse(answer.items)
  }
  return {
    emulator,
    accountId,
    as,
    id,
    create,
    read,
    ask,
    list,
    snapshots,
    ended: () =>
      vi.waitFor(
        async () => {
          const [newest] = await list()
          expect(newest?.endedAt).toBeDefined()
          return newest!
        },
        { timeout: 20_000, interval: 50 },
      ),
    codeOf: async (answer: Response) => [answer.status, (await jsonOf(answer)).code],
    history: async () =>
      (await plane.store.system((tx) => tx.select().from(activities).where(eq(activities.accountId, accountId)))).map(
        ({ actor, action, message }) => `${actor} ${action} ${message}`,
      ),
  }
}

test('what is asked is answered at once, carried out, and listed with its end', async () => {
  const { ask, ended, history } = await scene()
  const answer = await ask({ kind: 'reboot' })
  expect([answer.status, DropletAction.parse(await answer.json())]).toMatchObject([
    202,
    { state: 'asked', title: 'reboot' },
  ])
  expect(await ended()).toMatchObject({ state: 'done', kind: 'reboot' })
  expect((await history()).filter((line) => line.includes('reboot'))).toEqual([
    expect.stringMatching(/^\S.* droplet\.asked alpha: asked for reboot$/),
    expect.stringMatching(/^\S.* droplet\.done alpha, reboot: done in \d+ s$/),
  ])
})

test('while DTMA is updated nothing is begun with its droplet, unless it is heard no more: that may be what helps', async () => {
  const { id, ask, ended, codeOf } = await scene()
  const since = new Date().toISOString()
  const updateState = { attempt: 'a', version: '9.9.9', from: '0.1.0', phase: 'loading', since } as const
  const change = (status: 'active' | 'unresponsive') =>
    plane.store.system((tx) => tx.update(toolboxes).set({ status, updateState }).where(eq(toolboxes.id, id)))
  await change('active')
  expect(await codeOf(await ask({ kind: 'reboot' }))).toEqual([409, 'toolbox-busy'])
  await change('unresponsive')
  expect((await ask({ kind: 'power_cycle' })).status).toBe(202)
  expect((await ended()).state).toBe('done')
})

test('twenty clicks with one key are one reboot; the key for something else is refused', async () => {
  const { ask, as, ended, list, codeOf, emulator } = await scene()
  const before = emulator.world.actions.length
  const keyed = { ...as, 'idempotency-key': newId('act') }
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ kind: 'reboot' }, keyed)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
  await ended()
  expect([(await list()).length, emulator.world.actions.length - before]).toEqual([1, 1])
  expect(await codeOf(await ask({ kind: 'power_off' }, keyed))).toEqual([422, 'idempotency-key-reused'])
})

test('what a resize costs is on record before it begins; what cannot be is refused', async () => {
  const { ask, history, codeOf, ended, read } = await scene()
  expect(await codeOf(await ask({ kind: 'resize', size: 'no-such-size' }))).toEqual([422, 'provider-refused'])
  expect(await codeOf(await ask({ kind: 'resize', size: 's-1vcpu-512mb-10gb' }))).toEqual([422, 'provider-refused'])
  expect(await codeOf(await ask({ kind: 'resize', size: 's-1vcpu-1gb' }))).toEqual([422, 'provider-refused'])
  expect((await ask({ kind: 'resize', size: 's-2vcpu-4gb' })).status).toBe(202)
  expect((await history()).join('\n')).toContain('asked for resize to s-2vcpu-4gb, $24 a month instead of $6')
  expect(await ended()).toMatchObject({ state: 'done', message: 'It costs $24 a month now' })
  expect((await read()).placement).toMatchObject({ size: 's-2vcpu-4gb', monthlyUsd: 24 })
})

test('a rebuild, and the end of a droplet, want the name', async () => {
  const { ask, codeOf, as, id, read } = await scene()
  expect(await codeOf(await ask({ kind: 'rebuild', confirm: 'beta' }))).toEqual([422, 'not-confirmed'])
  expect(await codeOf(await ask({ kind: 'rebuild' }))).toEqual([400, 'invalid-request'])
  for (const query of ['', '?confirm=beta']) {
    const answer = await plane.request('DELETE', `/api/toolboxes/${id}${query}`, as)
    expect(await codeOf(answer)).toEqual([422, 'not-confirmed'])
  }
  expect((await plane.request('DELETE', `/api/toolboxes/${id}?confirm=alpha`, as)).status).toBe(202)
  expect(await codeOf(await ask({ kind: 'reboot' }))).toEqual([
    expect.any(Number),
    expect.stringMatching(/no-droplet|not-found/),
  ])
  await vi.waitFor(async () => expect((await read()).status).toBe('deprovisioned'), { timeout: 20_000, interval: 50 })
})

test('a snapshot is made, listed with its price, made into a droplet, and deleted; a second deletion succeeds, too', async () => {
  const { ask, ended, snapshots, as, create, codeOf, history, emulator } = await scene()
  await ask({ kind: 'snapshot', name: 'before-upgrade' })
  expect((await ended()).state).toBe('done')
  const [made] = await snapshots()
  expect(made).toMatchObject({
    name: 'before-upgrade',
    toolboxName: 'alpha',
    sizeGb: 2.5,
    monthlyUsd: 0.15,
    regions: ['nyc3'],
  })
  expect(await codeOf(await ask({ kind: 'snapshot', name: 'before-upgrade' }))).toEqual([409, 'name-taken'])

  expect(await codeOf(await create({ name: 'far', image: made!.id, region: 'fra1' }))).toEqual([
    422,
    'provider-refused',
  ])
  expect(await codeOf(await create({ name: 'tiny', image: made!.id, size: 's-1vcpu-512mb-10gb' }))).toEqual([
    422,
    'provider-refused',
  ])
  const copy = Toolbox.parse(await (await create({ name: 'copy', image: made!.id })).json())
  await vi.waitFor(
    () =>
      expect(
        [...emulator.world.droplets.values()].some(({ image, name }) => image === made!.id && name.includes('copy')),
      ).toBe(true),
    { timeout: 10_000, interval: 50 },
  )
  expect(copy.placement?.image).toBe(made!.id)

  const remove = () => plane.request('DELETE', `${PROVIDER}/snapshots/${made!.id}`, as)
  emulator.fail({ method: 'DELETE', path: /snapshots/, answer: 'drop', afterEffect: true })
  expect((await remove()).status).toBe(204)
  expect((await remove()).status).toBe(204)
  expect([await snapshots(), emulator.world.snapshots.has(made!.id)]).toEqual([[], false])
  expect((await history()).filter((line) => line.includes('snapshot.removed'))).toHaveLength(1)
})

test('snapshots and droplets of another account, or that somebody made by hand, are neither shown nor touched', async () => {
  const one = await scene()
  const { emulator } = one
  await one.ask({ kind: 'snapshot', name: 'mine' })
  await one.ended()
  emulator.world.snapshots.set('77', {
    id: '77',
    name: 'by hand',
    dropletId: 1,
    region: 'nyc3',
    disk: 25,
    createdAt: 0,
  })
  const [mine] = await one.snapshots()
  const other = await scene(emulator) // with the same account at DigitalOcean
  expect(await other.snapshots()).toEqual([])
  for (const id of [mine!.id, '77'])
    expect(await other.codeOf(await plane.request('DELETE', `${PROVIDER}/snapshots/${id}`, other.as))).toEqual([
      404,
      'snapshot-not-ours',
    ])
  expect(await other.codeOf(await other.create({ name: 'theft', image: mine!.id }))).toEqual([422, 'provider-refused'])
  expect(
    await other.codeOf(
      await plane.send('POST', `/api/toolboxes/${one.id}/droplet-actions`, other.as, { kind: 'reboot' }),
    ),
  ).toEqual([404, 'toolbox-not-found'])
  expect(emulator.world.snapshots.has(mine!.id)).toBe(true)
})

test('a toolbox without a droplet has nothing to reboot', async () => {
  const { as, codeOf } = await scene()
  const joined = Toolbox.parse(
    await (await plane.send('POST', '/api/toolboxes', as, { provider: 'join', name: 'server' })).json(),
  )
  expect(
    await codeOf(await plane.send('POST', `/api/toolboxes/${joined.id}/droplet-actions`, as, { kind: 'reboot' })),
  ).toEqual([409, 'no-droplet'])
  await plane.store.system((tx) => tx.delete(toolboxes).where(eq(toolboxes.id, joined.id)))
})
