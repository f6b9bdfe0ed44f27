import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { connect } from 'node:tls'
import { type HttpReply, type HttpRequest, listenerOf, runTunnel } from '@agentopia/dtma/testing'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { openTestStore } from '../store/testing.ts'
import { freePort } from '../uplink/direct/dtma-port.testing.ts'
import { createTunnelDoor } from '../uplink/tunnel/tunnel-door.ts'
import { createTurns } from '../uplink/turns.ts'
import { insertToolbox } from '../uplink/uplink.testing.ts'
import { openTunnels } from './open-tunnels.ts'
import { liveReplicas, seen, storeTunnels } from './replica.store.ts'
import { dialReplica } from './replica-tls.ts'

const ROOT_KEY = Buffer.alloc(32, 7)
const log = pino({ level: 'silent' })
/** What is announced is heard in moments; what must be looked at, within two looks. */
const SOON_MS = 10_000
const LONG_MS = 20_000
const silent = { debug() {}, info() {}, warn() {}, error() {}, lines: () => [], redact() {} }

let store: Store
let ends: (() => Promise<unknown>)[]
beforeEach(async () => {
  store = await openTestStore()
  ends = []
})
afterEach(async () => {
  await Promise.all(ends.map((end) => end()))
  await store[Symbol.asyncDispose]()
})

type Plane = Awaited<ReturnType<typeof openPlane>>

/** One of several control planes, as far as toolboxes see it. */
async function openPlane(owner: string, port?: number) {
  const address = `127.0.0.1:${port ?? (await freePort())}`
  const tunnels = await openTunnels({
    store,
    rootKey: ROOT_KEY,
    clock: systemClock,
    log,
    random: () => 0,
    owner,
    address,
    beatsOf: () => async () => {},
    onChange: () => {},
  })
  const authenticate = async (token: string) => ({ toolboxId: token.slice('token-of-'.length) })
  const door: Server = createServer().on(
    'upgrade',
    createTunnelDoor({ authenticate, tunnels: tunnels.own, turns: createTurns(), log }),
  )
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  const end = async () => {
    tunnels.all.closeAll()
    door.close()
    await tunnels.stopped
  }
  ends.push(end)
  return { ...tunnels, address, end, origin: `http://127.0.0.1:${(door.address() as AddressInfo).port}` }
}

const heard: string[] = []
const reply = (body: string | Readable, status = 200): HttpReply => ({ status, headers: { 'x-said-by': 'dtma' }, body })
const ANSWERS: Readonly<Record<string, (request: HttpRequest) => Promise<HttpReply> | HttpReply>> = {
  '/hello': ({ headers }) => reply(JSON.stringify(headers), 201),
  '/echo': async ({ body }) => reply(Readable.from(body)),
  '/half': () => {
    const half = new PassThrough()
    half.write('the first half')
    setTimeout(() => half.destroy(new Error('something broke')), 50)
    return reply(half)
  },
  '/never': ({ signal }) => {
    heard.push('asked')
    signal.addEventListener('abort', () => heard.push('given up'))
    return new Promise(() => {})
  },
}
const listener = listenerOf(async (request) => ANSWERS[request.url]!(request), silent)

/** A DTMA of this toolbox dials one of them. */
function dial(toolboxId: string, { origin }: Plane): AbortController {
  const stop = new AbortController()
  ends.push(async () => stop.abort())
  const clock = { ...systemClock, random: () => 0 }
  void runTunnel(
    { baseUrl: origin, token: () => `token-of-${toolboxId}`, runId: 'run', listener, log: silent, clock },
    stop.signal,
  )
  return stop
}

const untilOpen = (plane: Plane, toolboxId: string, isOpen = true) =>
  vi.waitFor(() => expect(plane.all.isOpen(toolboxId)).toBe(isOpen), SOON_MS)

/** A toolbox whose DTMA has dialled the second of two. */
async function dialledElsewhere() {
  const [here, there] = [await openPlane('here'), await openPlane('there')]
  const { id } = await insertToolbox(store)
  const stop = dial(id, there)
  await untilOpen(here, id)
  return { here, there, id, stop, fetch: here.all.fetchOf(id)! }
}

test('a request goes by the replica that holds the tunnel, and is answered as if it were held here', async () => {
  const { here, there, id, fetch } = await dialledElsewhere()
  expect([here.own.isOpen(id), there.own.isOpen(id)]).toEqual([false, true])
  const answer = await fetch('http://dtma/hello', { headers: { authorization: 'Bearer key', 'x-name': 'alpha' } })
  const sent = (await answer.json()) as Record<string, string>
  expect([answer.status, answer.headers.get('x-said-by')]).toEqual([201, 'dtma'])
  expect(sent).toMatchObject({ authorization: 'Bearer key', 'x-name': 'alpha' })
  expect(Object.keys(sent).filter((name) => name.startsWith('x-agentopia'))).toEqual([])
})

test('large bodies pass both ways, whole', async () => {
  const { fetch } = await dialledElsewhere()
  const text = 'ä'.repeat(2 << 20)
  expect(await (await fetch('http://dtma/echo', { method: 'POST', body: text })).text()).toBe(text)
})

test('an answer that breaks off is no whole answer', async () => {
  const { fetch } = await dialledElsewhere()
  await expect(fetch('http://dtma/half').then((answer) => answer.text())).rejects.toThrow()
})

test('who gives up is heard by DTMA', async () => {
  const { here, id, fetch } = await dialledElsewhere()
  const giveUp = new AbortController()
  const asked = fetch('http://dtma/never', { signal: giveUp.signal })
  await vi.waitFor(() => expect(heard).toEqual(['asked']), SOON_MS)
  expect(here.all.inFlight(id)).toBe(1)
  giveUp.abort(new Error('enough'))
  await expect(asked).rejects.toThrow()
  await vi.waitFor(() => expect(heard).toEqual(['asked', 'given up']), SOON_MS)
  await vi.waitFor(() => expect(here.all.inFlight(id)).toBe(0), SOON_MS)
})

test('DTMA goes: nobody takes the tunnel for open any more', async () => {
  const { here, id, stop } = await dialledElsewhere()
  stop.abort()
  await untilOpen(here, id, false)
  expect(here.all.request(id, { method: 'GET', path: '/hello', headers: {} })).toBeUndefined()
})

test('a tunnel that is on record and not there is no tunnel, and its replica answers nothing in the place of DTMA', async () => {
  const [here, there] = [await openPlane('here'), await openPlane('there')]
  const { id } = await insertToolbox(store)
  const opened = [{ toolboxId: id, since: new Date() }]
  await store.system((tx) =>
    storeTunnels(tx, { id: 'there', address: there.address }, { opened, closed: [], revoked: [] }),
  )
  await untilOpen(here, id)
  await expect(here.all.fetchOf(id)!('http://dtma/hello')).rejects.toThrow()
})

test('a replica ends: what it held is dialled anew elsewhere', async () => {
  const { here, there, id } = await dialledElsewhere()
  await there.end()
  await untilOpen(here, id, false)
  dial(id, here)
  await untilOpen(here, id)
  expect(here.own.isOpen(id)).toBe(true)
})

test('a replica that is not seen any more is given up, with all that it held', async () => {
  const { id } = await insertToolbox(store)
  const dead = { id: 'dead', address: '127.0.0.1:1' }
  await store.system(async (tx) => {
    await seen(tx, dead)
    await storeTunnels(tx, dead, { opened: [{ toolboxId: id, since: new Date() }], closed: [], revoked: [] })
  })
  const here = await openPlane('here')
  expect(here.all.isOpen(id)).toBe(true)
  await expect(here.all.fetchOf(id)!('http://dtma/hello')).rejects.toThrow('ECONNREFUSED')
  await store.system((tx) =>
    tx.execute(`update control_plane_replicas set seen_at = now() - interval '21 seconds' where id = 'dead'`),
  )
  expect(await store.system(liveReplicas)).toEqual([{ id: 'here', address: here.address }])
  await vi.waitFor(() => expect(here.all.isOpen(id)).toBe(false), LONG_MS)
})

test('a replica that was given up wrongly says again what it holds', async () => {
  const { here, there, id } = await dialledElsewhere()
  await store.system((tx) => tx.execute(`delete from control_plane_replicas where id = 'there'`))
  await vi.waitFor(async () => {
    const { rows } = await store.system((tx) =>
      tx.execute<{ n: number }>('select count(*)::int as n from control_plane_tunnels'),
    )
    expect(rows).toEqual([{ n: 1 }])
  }, LONG_MS)
  await untilOpen(here, id)
  expect(there.own.isOpen(id)).toBe(true)
})

test('a revocation breaks the tunnel wherever it is held', async () => {
  const { here, there, id, stop } = await dialledElsewhere()
  const since = there.own.factsOf(id)
  here.all.revoke(id)
  await vi.waitFor(() => expect(there.own.factsOf(id)).not.toEqual(since), SOON_MS)
  stop.abort()
})

test('a toolbox that dials another replica has one tunnel: the end of the first is not waited for', async () => {
  const { here, there, id, stop } = await dialledElsewhere()
  dial(id, here)
  await vi.waitFor(() => expect(here.own.isOpen(id)).toBe(true), SOON_MS)
  stop.abort()
  await vi.waitFor(() => expect(there.own.isOpen(id)).toBe(false), SOON_MS)
  await untilOpen(there, id)
})

test('an address that cannot be listened on is named, with its variable', async () => {
  const { address } = await openPlane('here')
  await expect(openPlane('there', Number(address.split(':')[1]))).rejects.toMatchObject({
    message: `REPLICA_ADDRESS ${address} cannot be listened on (EADDRINUSE)`,
    fix: expect.stringContaining('port'),
  })
})

test('whoever does not hold the root key gets no further than the handshake', async () => {
  const { address } = await openPlane('here')
  const { signal } = new AbortController()
  await expect(dialReplica(address, Buffer.alloc(32, 8), signal)).rejects.toThrow()
  const [host, port] = address.split(':') as [string, string]
  const stranger = connect({ host, port: Number(port), rejectUnauthorized: false })
  await expect(
    new Promise((resolve, reject) => stranger.once('secureConnect', resolve).once('error', reject)),
  ).rejects.toThrow()
})
