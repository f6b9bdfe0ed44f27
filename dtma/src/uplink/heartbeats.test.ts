import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createClient, type SystemMetrics, type ToolStatus } from '../contract/index.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { type FakeControlPlane, fakeControlPlane, memoryLog, refuse } from './control-plane.testing.ts'
import { type HeartbeatDeps, startHeartbeats } from './heartbeats.ts'

let plane: FakeControlPlane
let stop: AbortController
beforeEach(async () => {
  plane = await fakeControlPlane()
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await plane.close()
})

const SYSTEM = { cpus: 1 } as SystemMetrics
const docker = { state: 'ok' } as const

/** Time that stands still, except that whoever sleeps wakes when the test lets it. */
function standingClock() {
  let now = 1_000_000
  const asleep: { readonly ms: number; readonly wake: () => void }[] = []
  const clock: Clock = {
    now: () => now,
    steady: () => now,
    random: () => 0.5,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        asleep.push({ ms, wake: resolve })
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve())
      }),
  }
  /** Lets the one that went to sleep last have slept. @returns For how long it wanted to. */
  async function pass(): Promise<number> {
    await vi.waitFor(() => expect(asleep.length).toBeGreaterThan(0))
    const { ms, wake } = asleep.splice(0).at(-1)!
    now += ms
    wake()
    return ms
  }
  return { clock, pass, asleep }
}

function started(clock: Clock, tools: () => ToolStatus[] = () => [], more: Partial<HeartbeatDeps> = {}) {
  const log = memoryLog()
  const client = createClient({ baseUrl: plane.baseUrl, token: plane.bearer })
  const report = () => ({ docker, system: SYSTEM, tools: tools() })
  return {
    ...startHeartbeats({ client: () => client, runId: 'run', version: '1', report, log, clock, ...more }, stop.signal),
    log,
  }
}

const heard = (count: number) => vi.waitFor(() => expect(plane.beats).toHaveLength(count))

test('DTMA hears where packages come from, and goes on when that cannot be kept', async () => {
  const { clock, pass } = standingClock()
  const said: unknown[] = []
  const onPackages = async (packages: object) => {
    said.push(packages)
    throw new Error('the disk is full')
  }
  Object.assign(plane, { reply: { ...plane.reply, packages: { npm: 'https://npm.example' } } })
  const { log } = started(clock, undefined, { onPackages })
  await heard(1)
  await pass()
  await heard(2)
  await vi.waitFor(() => expect(said).toEqual([{ npm: 'https://npm.example' }, { npm: 'https://npm.example' }]))
  expect(JSON.stringify(log)).toContain('the disk is full')
})

test('the first reports everything, the next only that DTMA lives, until a minute is over', async () => {
  const { clock, pass } = standingClock()
  started(clock)
  for (let n = 1; n <= 8; n += 1) {
    await heard(n)
    expect(await pass()).toBe(10_000)
  }
  expect(plane.beats.map(({ seq, tools }) => [seq, tools !== undefined])).toEqual([
    [1, true],
    [2, false],
    [3, false],
    [4, false],
    [5, false],
    [6, false],
    [7, true],
    [8, false],
  ])
})

test('a change is told at once, and many of them together', async () => {
  const { clock, pass } = standingClock()
  const { wake } = started(clock)
  await heard(1)
  await vi.waitFor(async () => expect(plane.beats).toHaveLength(1))
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (let n = 0; n < 50; n += 1) wake()
  expect(await pass()).toBe(250)
  await heard(2)
  expect(plane.beats[1]?.tools).toEqual([])
  expect(await pass()).toBe(10_000)
})

test('the control plane may ask for a report, and for another pace', async () => {
  const { clock, pass } = standingClock()
  started(clock)
  await heard(1)
  plane.reply = { nextInSeconds: 30, wantReport: true }
  await pass()
  await heard(2)
  plane.reply = { nextInSeconds: 30, wantReport: false }
  expect(await pass()).toBe(250)
  await heard(3)
  expect(plane.beats[2]?.tools).toEqual([])
  expect(await pass()).toBe(30_000)
})

test.each([
  [0, 1_000],
  [-5, 1_000],
  [1e9, 300_000],
])('a pace of %s seconds is not followed', async (nextInSeconds, ms) => {
  plane.reply = { nextInSeconds, wantReport: false }
  const { clock, pass } = standingClock()
  started(clock)
  expect(await pass()).toBe(ms)
})

test('an unheard heartbeat is told again, later and later, and says so once', async () => {
  const { clock, pass } = standingClock()
  plane.instead = (_, response) => response.writeHead(502).end('a proxy says no')
  const { log } = started(clock)
  const waits = []
  for (let n = 0; n < 8; n += 1) waits.push(await pass())
  expect(waits).toEqual([550, 1_050, 2_050, 4_050, 8_050, 15_000, 15_000, 15_000])
  plane.instead = undefined
  await pass()
  await heard(1)
  expect(plane.beats[0]).toMatchObject({ tools: [], system: SYSTEM })
  expect(log.said).toHaveLength(2)
})

test.each([
  [409, 'superseded'],
  [401, 'unauthenticated'],
])('ends when the control plane says %s %s', async (status, code) => {
  plane.instead = (_, response) => refuse(response, status, code)
  expect(await started(systemClock).ended).toBe(code)
})

test('a 401 that does not come from a control plane ends nothing', async () => {
  const { clock, pass } = standingClock()
  plane.instead = (_, response) => response.writeHead(401).end('Please sign in to the hotel network')
  started(clock)
  expect(await pass()).toBe(550)
  plane.instead = undefined
  await heard(1)
})

test('ends when it is told to, also in the middle of a request', async () => {
  plane.instead = () => {}
  const { ended } = started(systemClock)
  await new Promise((resolve) => setTimeout(resolve, 50))
  stop.abort()
  expect(await ended).toBe('stopped')
})
