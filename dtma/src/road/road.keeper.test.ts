import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { selfSigned } from '../http/self-signed.ts'
import { type Port, serve } from '../http/serve.ts'
import { systemClock } from '../uplink/clock.ts'
import { memoryLog } from '../uplink/control-plane.testing.ts'
import type { ConfiguredRoad } from './road.choice.ts'
import { openRoads, type RoadKeeperDeps } from './road.keeper.ts'

const { privateKey } = generateKeyPairSync('ed25519')
/** Loopback, and not the address that DTMA listens on by default: only who listens everywhere is met there. */
const ELSEWHERE = '127.0.0.2'

let directory: string
const cleanups: (() => unknown)[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtma-road-'))
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** One life of a DTMA, as far as its roads go. */
async function alive(configured: ConfiguredRoad = 'tunnel', over: Partial<RoadKeeperDeps> = {}) {
  const door = configured === 'tunnel' ? { host: '127.0.0.1', plain: true } : { host: '0.0.0.0', plain: false }
  const listener = (_: unknown, response: { end(text: string): unknown }) => void response.end('well')
  const deps = { listener: listener as never, plainListener: listener as never }
  const port: Port = await serve(deps, { host: door.host, port: 0 })
  port.useKey(selfSigned(privateKey))
  cleanups.push(() => port.close())
  const stop = new AbortController()
  cleanups.push(() => stop.abort())
  const turns: boolean[] = []
  const log = memoryLog()
  const roads = await openRoads({
    configured,
    door,
    port,
    tunnel: { turn: (on) => void turns.push(on) },
    stateDirectory: directory,
    publicKey: () => 'the key',
    log,
    clock: systemClock,
    signal: stop.signal,
    ...over,
  })
  return {
    roads,
    port,
    log,
    tunnel: () => turns.at(-1),
    words: () => log.said.join(),
  }
}

function connected(host: string, port: number): Promise<Socket | undefined> {
  const socket = connect({ host, port })
  cleanups.push(() => socket.destroy())
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(socket)).on('error', () => resolve(undefined))
  })
}
const meets = async (host: string, port: number) => (await connected(host, port)) !== undefined

test('while one is tried both are open; then the one before is closed; and all of it is kept', async () => {
  const first = await alive()
  expect([first.tunnel(), await meets(ELSEWHERE, first.port.number)]).toEqual([true, false])
  expect(await first.roads.set({ road: 'both', reach: 'network' })).toEqual({
    road: 'both',
    host: '0.0.0.0',
    port: first.port.number,
    publicKey: 'the key',
  })
  expect([first.tunnel(), first.roads.plain, await meets(ELSEWHERE, first.port.number)]).toEqual([true, false, true])

  const second = await alive() // it was restarted while it was tried
  expect([second.roads.road, second.tunnel(), await meets(ELSEWHERE, second.port.number)]).toEqual(['both', true, true])
  await second.roads.set({ road: 'direct', reach: 'network' })
  expect(second.tunnel()).toBe(false)

  const third = await alive()
  expect([third.roads.road, third.tunnel(), third.roads.plain]).toEqual(['direct', false, false])
  expect(third.words()).toContain('DTMA_ROAD says how it began')
  await third.roads.set({ road: 'tunnel', reach: 'network' })
  expect([third.tunnel(), third.roads.plain, await meets(ELSEWHERE, third.port.number)]).toEqual([true, true, false])
  expect((await alive()).roads.road).toBe('tunnel')
})

test('what somebody configures later decides, is said, and stays the later word when it is configured back', async () => {
  const { roads } = await alive('direct')
  await roads.set({ road: 'tunnel', reach: 'network' })
  await roads.set({ road: 'direct', reach: 'network' })
  const configured = await alive('tunnel')
  expect([configured.roads.road, configured.words()]).toEqual([
    'tunnel',
    expect.stringContaining('DTMA_ROAD was set to another road since'),
  ])
  expect((await alive('direct')).roads.road).toBe('direct')
})

test('a port that cannot be had changes nothing, and says why', async () => {
  const { roads, port, tunnel } = await alive()
  const other = createServer().listen(port.number, ELSEWHERE)
  await once(other, 'listening')
  cleanups.push(() => other.close())
  await expect(roads.set({ road: 'direct', reach: 'network' })).rejects.toMatchObject({
    code: 'road-not-possible',
    message: expect.stringContaining('in use by another program'),
  })
  expect([roads.road, roads.plain, tunnel()]).toEqual(['tunnel', true, true])
  expect(await meets('127.0.0.1', port.number)).toBe(true)
})

/** A port that others may take. */
function takenPort() {
  const port = {
    number: 30_000,
    listens: true,
    host: '127.0.0.1',
    isTaken: false,
    async listenOn(host: string) {
      port.listens = !port.isTaken
      if (port.isTaken) throw new Error('it is in use by another program')
      port.host = host
    },
  }
  return port
}

test('a port that does not listen any more is tried again, until it can be had', async () => {
  const port = takenPort()
  const sleepers: (() => void)[] = []
  const sleep = () => new Promise<void>((wake) => void sleepers.push(wake))
  const { roads } = await alive('tunnel', { port, clock: { sleep } })
  port.isTaken = true
  await expect(roads.set({ road: 'both', reach: 'network' })).rejects.toMatchObject({ code: 'road-not-possible' })
  await expect(roads.set({ road: 'both', reach: 'network' })).rejects.toMatchObject({ code: 'road-not-possible' })
  expect(sleepers).toHaveLength(1)
  sleepers.shift()!()
  await expect.poll(() => sleepers.length).toBe(1)
  expect(port.listens).toBe(false)
  port.isTaken = false
  sleepers.shift()!()
  await expect.poll(() => port.listens).toBe(true)
  expect([port.host, roads.road, sleepers]).toEqual(['127.0.0.1', 'tunnel', []])
})

test('asked for the road that it has, a port that does not listen is opened', async () => {
  const port = takenPort()
  const { roads } = await alive('tunnel', { port })
  port.isTaken = true
  await expect(roads.set({ road: 'direct', reach: 'network' })).rejects.toThrow()
  port.isTaken = false
  await roads.set({ road: 'tunnel', reach: 'network' })
  expect([port.listens, port.host]).toEqual([true, '127.0.0.1'])
})

test('asked twice, and at the same time, it is the same', async () => {
  const { roads } = await alive()
  const wish = { road: 'direct', reach: 'network' } as const
  const [one, other] = await Promise.all([roads.set(wish), roads.set(wish)])
  expect(one).toEqual(other)
  expect(await roads.set(wish)).toEqual(one)
})

test('whoever came from the network is cut when the port is for the machine alone, and who came on it is not', async () => {
  const { roads, port } = await alive('direct')
  const outside = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const { address } = outside.find(({ internal, family }) => !internal && family === 'IPv4')!
  const [fromOutside, fromHere] = [await connected(address, port.number), await connected('127.0.0.1', port.number)]
  const cut = once(fromOutside!, 'close')
  await roads.set({ road: 'tunnel', reach: 'network' })
  await cut
  expect(fromHere!.destroyed).toBe(false)
  expect(await meets(address, port.number)).toBe(false)
})

test('for whoever dials on the same machine nothing more is opened', async () => {
  const { roads, port } = await alive()
  expect((await roads.set({ road: 'direct', reach: 'machine' })).host).toBe('127.0.0.1')
  expect([await meets('127.0.0.1', port.number), await meets(ELSEWHERE, port.number)]).toEqual([true, false])
})
