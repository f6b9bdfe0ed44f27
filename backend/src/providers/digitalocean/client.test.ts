import { createEmulator } from '@agentopia/testbed/emulator'
import { expect, test } from 'vitest'
import { manualClock } from '../../reconcile/manual-clock.testing.ts'
import { createBudget } from './budget.ts'
import { createDigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'
import { missingScopes } from './scopes.ts'

const signal = AbortSignal.timeout(60_000)

function scene() {
  const clock = manualClock()
  const emulator = createEmulator({ now: clock.now, knobs: { perMinute: 10_000, dropletLimit: 500 } })
  const budget = createBudget(clock.now)
  const { token } = emulator.world
  const client = createDigitalOcean({ baseUrl: 'http://digitalocean', token, budget, fetch: emulator.fetch })
  return { clock, emulator, client }
}

const wanted = (name: string) =>
  ({
    name,
    region: 'nyc3',
    size: 's-1vcpu-1gb',
    image: 'debian-12-x64',
    user_data: '',
    tags: ['a-tag'],
    monitoring: false,
    backups: false,
    ipv6: false,
  }) as const

const failureOf = (work: Promise<unknown>): Promise<DigitalOceanError> =>
  work.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: DigitalOceanError) => error,
  )

test('a list is read to its last page', async () => {
  const { client, emulator, clock } = scene()
  for (let n = 0; n < 250; n += 1) {
    if (n % 100 === 0) await clock.advance(60_000)
    await client.createDroplet(wanted(`d-${n}`), signal)
  }
  await clock.advance(60_000)
  expect(await client.dropletsByTag('a-tag', signal)).toHaveLength(250)
  expect(emulator.world.calls.filter((call) => call === 'GET /v2/droplets')).toHaveLength(2)
})

test('our own limit of calls is kept: 150 a minute, and then it says how long to wait', async () => {
  const { client, clock, emulator } = scene()
  for (let n = 0; n < 150; n += 1) await client.droplet(1, signal)
  const failure = await failureOf(client.droplet(1, signal))
  expect([failure.kind, failure.retryAfterMs]).toEqual(['limited', 60_000])
  expect(emulator.world.calls).toHaveLength(150)
  await clock.advance(60_000)
  expect(await client.droplet(1, signal)).toBeUndefined()
})

test('3,500 calls an hour are the most', async () => {
  const clock = manualClock()
  const budget = createBudget(clock.now)
  let calls = 0
  for (let minute = 0; minute < 60; minute += 1) {
    while (budget.take() === 0) calls += 1
    await clock.advance(59_000)
  }
  expect(calls).toBe(3_500)
})

/** Several control planes with one token: each counts for itself. Each asks as often as it may, for an hour. */
async function anHourOf(processes: number) {
  const clock = manualClock()
  const emulator = createEmulator({ now: clock.now })
  const { token } = emulator.world
  const clients = Array.from({ length: processes }, () =>
    createDigitalOcean({
      baseUrl: 'http://digitalocean',
      token,
      budget: createBudget(clock.now),
      fetch: emulator.fetch,
    }),
  )
  const failures: DigitalOceanError[] = []
  const answered = clients.map(() => 0)
  for (let minute = 0; minute < 60; minute += 1) {
    for (let turn = 0; turn < processes; turn += 1) {
      const n = (minute + turn) % processes
      for (;;) {
        const failure = await clients[n]!.droplet(1, signal).then(
          () => undefined,
          (error: DigitalOceanError) => error,
        )
        if (failure) {
          failures.push(failure)
          break
        }
        answered[n]! += 1
      }
    }
    await clock.advance(59_000)
  }
  const refused = failures.filter(({ message }) => message.includes('429'))
  return { answered, failures, refused, calls: emulator.world.callTimes.length }
}

test.each([1, 2, 3])(
  '%i control planes with one token leave a fifth of the hour to others, and none is shut out',
  async (processes) => {
    const { answered, failures, calls } = await anHourOf(processes)
    expect(calls).toBeGreaterThanOrEqual(3_400)
    expect(calls).toBeLessThanOrEqual(4_000)
    expect(Math.min(...answered)).toBeGreaterThan(500)
    for (const { kind, retryAfterMs } of failures) {
      expect(kind).toBe('limited')
      expect(retryAfterMs).toBeGreaterThan(0)
    }
  },
)

test('what two control planes ask in one minute too much is refused with the time to wait: nothing was done, and both go on', async () => {
  const { answered, refused } = await anHourOf(2)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.every(({ kind, retryAfterMs }) => kind === 'limited' && retryAfterMs === 10_000)).toBe(true)
  expect(answered.every((count) => count > 500)).toBe(true)
})

test('while others use the token a lot, we ask in small bursts, and as before once they have stopped', async () => {
  const clock = manualClock()
  const budget = createBudget(clock.now)
  budget.hear(1_499, 5_000)
  const burst = () => {
    let count = 0
    while (budget.take() === 0) count += 1
    return count
  }
  expect(burst()).toBe(10)
  await clock.advance(60_000)
  expect(burst()).toBe(10)
  await clock.advance(60_000)
  budget.hear(1_500, 5_000)
  expect(burst()).toBe(150)
})

test('after a 429 nothing is asked before Retry-After', async () => {
  const { client, clock, emulator } = scene()
  emulator.fail({ method: 'GET', path: /droplets/, answer: 429, retryAfterSeconds: 30 })
  expect((await failureOf(client.droplet(1, signal))).retryAfterMs).toBe(30_000)
  const calls = emulator.world.calls.length
  await clock.advance(29_000)
  expect((await failureOf(client.droplet(1, signal))).kind).toBe('limited')
  expect(emulator.world.calls).toHaveLength(calls)
  await clock.advance(1_000)
  expect(await client.droplet(1, signal)).toBeUndefined()
})

test.each([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [422, 'refused'],
  [429, 'limited'],
  [500, 'unknown'],
  [503, 'unknown'],
  ['drop', 'unknown'],
] as const)('%s means %s', async (answer, kind) => {
  const { client, emulator } = scene()
  emulator.fail({ method: 'POST', path: /droplets/, answer })
  const failure = await failureOf(client.createDroplet(wanted('d'), signal))
  expect(failure).toBeInstanceOf(DigitalOceanError)
  expect(failure.kind).toBe(kind)
  expect(JSON.stringify([failure.message, failure.stack])).not.toContain(emulator.world.token)
})

test('who stops waiting stops the call', async () => {
  const { client, emulator } = scene()
  emulator.fail({ method: 'GET', path: /droplets/, answer: 'hang' })
  const stop = new AbortController()
  const asked = client.droplet(1, stop.signal)
  stop.abort(new Error('enough'))
  await expect(asked).rejects.toThrow('enough')
})

test('the rights that a token lacks are named, and nothing is made or destroyed to learn them', async () => {
  const { client, emulator } = scene()
  expect(await missingScopes(client, signal)).toEqual([])
  emulator.knobs.scopes = new Set([
    'account:read',
    'regions:read',
    'sizes:read',
    'image:read',
    'droplet:read',
    'droplet:create',
    'droplet:update',
    'snapshot:read',
    'snapshot:delete',
    'reserved_ip:read',
    'reserved_ip:create',
    'reserved_ip:update',
    'tag:create',
    'firewall:read',
  ])
  expect(await missingScopes(client, signal)).toEqual([
    'droplet:delete',
    'reserved_ip:delete',
    'tag:delete',
    'firewall:create',
    'firewall:update',
  ])
  expect([emulator.world.droplets.size, emulator.world.firewalls.size]).toEqual([0, 0])
})

test('a field that DigitalOcean does not know would be refused by the emulator', async () => {
  const { client } = scene()
  const failure = await failureOf(client.createDroplet({ ...wanted('d'), userdata: 'x' } as never, signal))
  expect([failure.kind, failure.message]).toEqual(['refused', expect.stringContaining('userdata')])
})
