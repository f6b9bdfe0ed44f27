import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Isolation } from '../contract/status.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import { memoryLog } from '../uplink/control-plane.testing.ts'
import type { Egress } from './egress.ts'
import { watchIsolation } from './isolation.ts'

const HOUR_MS = 3_600_000
const METADATA = { what: 'metadata', by: 'tcp', host: '169.254.169.254', port: 80 }
let stop = new AbortController()
beforeEach(() => {
  stop = new AbortController()
})
afterEach(() => stop.abort())

/** A toolbox on which the probe runs when the clock says so, and says what the test wants. */
function probed() {
  const world = {
    /** What the probe prints: what it has reached. */
    reached: [] as object[] | null,
    down: false,
    probes: 0,
    now: Date.parse('2026-11-29T00:00:00Z'),
  }
  const networks = new Set<string>()
  const containers = new Set<string>()
  let output = new PassThrough()
  const docker = {
    info: async () => ({ NCPU: 2, SecurityOptions: [] }),
    inspectImage: async () => ({
      Id: 'sha256:a',
      Config: { Entrypoint: [], Cmd: [], Env: [], Labels: {}, Volumes: [] },
    }),
    inspectNetwork: async () => undefined,
    inspectContainer: async () => undefined,
    createIsolatedNetwork: async (name: string) => {
      if (world.down) throw new Error('Docker is away')
      networks.add(name)
    },
    removeNetwork: async (name: string) => void networks.delete(name),
    createContainer: async (name: string) => {
      containers.add(name)
      return name
    },
    removeContainer: async (name: string) => void containers.delete(name),
    attachContainer: async () => {
      output = new PassThrough()
      return { stdout: output, stderr: new PassThrough(), close: () => undefined }
    },
    startContainer: async () => {
      world.probes++
      output.end(JSON.stringify(world.reached))
    },
  } as unknown as DockerApi
  const egress = { join: async () => undefined, leave: async () => undefined, routes: new Map() } as unknown as Egress

  let sleeping = Promise.withResolvers<{ readonly ms: number; readonly wake: () => void }>()
  const told: Isolation['state'][] = []
  const watch = watchIsolation({
    docker,
    egress,
    owner: 'a'.repeat(32),
    image: async () => 'sha256:a',
    hostAddresses: async () => ['10.0.0.5'],
    port: 30_000,
    log: memoryLog(),
    date: () => new Date(world.now),
    sleep: (ms, signal) =>
      new Promise<void>((wake) => {
        signal.addEventListener('abort', () => wake())
        sleeping.resolve({ ms, wake })
      }),
    onChange: ({ state }) => void told.push(state),
    signal: stop.signal,
  })
  /** Lets the time pass that is slept for. @returns Those milliseconds. */
  async function pass(): Promise<number> {
    const { ms, wake } = await sleeping.promise
    sleeping = Promise.withResolvers()
    world.now += ms
    wake()
    await sleeping.promise // it has looked, and rests again
    return ms
  }
  return { world, watch, told, pass, left: () => [...networks, ...containers] }
}

test('S01 the isolation is proven soon after the start and again each hour, and each proof says when', async () => {
  const { world, watch, told, pass, left } = probed()
  expect(watch.isolation).toEqual({ state: 'unproven', leaks: [] })
  expect(await pass()).toBe(3_000)
  expect(watch.isolation).toEqual({ state: 'ok', checkedAt: '2026-11-29T00:00:03.000Z', leaks: [] })
  for (let hour = 1; hour <= 3; hour++) {
    expect(await pass()).toBe(HOUR_MS)
    expect(world.probes).toBe(1 + hour)
    expect(watch.isolation).toEqual({ state: 'ok', checkedAt: `2026-11-29T0${hour}:00:03.000Z`, leaks: [] })
  }
  expect(told).toEqual(['ok'])
  expect(left()).toEqual([])
})

test('S01 what an hour later leaks is said, and looked at every half minute until it is mended', async () => {
  const { world, watch, told, pass, left } = probed()
  await pass()
  world.reached = [METADATA, { what: 'toolbox', by: 'proxy', host: '10.0.0.5', port: 22 }]
  expect(await pass()).toBe(HOUR_MS)
  expect(watch.isolation).toMatchObject({
    state: 'failed',
    checkedAt: '2026-11-29T01:00:03.000Z',
    leaks: ['metadata 169.254.169.254:80', 'toolbox 10.0.0.5:22 through the gateway'],
  })
  // Not to be able to look is no proof that it is mended.
  world.down = true
  expect(await pass()).toBe(30_000)
  expect(watch.isolation.state).toBe('failed')
  world.down = false
  world.reached = []
  expect(await pass()).toBe(30_000)
  expect(watch.isolation).toMatchObject({ state: 'ok', leaks: [] })
  expect(await pass()).toBe(HOUR_MS)
  expect(told).toEqual(['ok', 'failed', 'ok'])
  expect(left()).toEqual([])
})

test('S01 what was proven an hour ago is unproven when it cannot be tried again', async () => {
  const { world, watch, told, pass } = probed()
  await pass()
  world.reached = null // it could not even reach the gateway
  expect(await pass()).toBe(HOUR_MS)
  expect(watch.isolation).toMatchObject({ state: 'unproven', checkedAt: '2026-11-29T00:00:03.000Z' })
  world.reached = []
  expect(await pass()).toBe(30_000)
  expect(told).toEqual(['ok', 'unproven', 'ok'])
})
