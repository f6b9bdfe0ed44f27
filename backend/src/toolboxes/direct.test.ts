import { createPublicKey } from 'node:crypto'
import { type Observation, Toolbox } from '@agentopia/api'
import { API_VERSION, type DtmaStatus } from '@agentopia/dtma/contract'
import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type As, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { freePort, newTestKey, openDtmaPort, type TestKey } from '../uplink/direct/dtma-port.testing.ts'
import { beatOf, newKey } from '../uplink/uplink.testing.ts'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane(undefined, { direct: { privateAddresses: true, plainHttp: false, sources: [] } })
})
afterAll(() => plane.close())

/** A DTMA behind its own port, and what it was asked. */
interface World {
  readonly id: string
  readonly key: TestKey
  readonly port: number
  readonly apiKey: string
  readonly asked: string[]
  status: Partial<DtmaStatus>
  as: As
}
let world: World
let close: () => Promise<void>
afterEach(() => close())

beforeEach(async () => {
  const { userId: _, ...as } = await signedIn(plane, `account_${newId('act').slice(4)}`, 'operator')
  const port = await freePort()
  const direct = { address: '127.0.0.1', port }
  const made = await plane.send('POST', '/api/toolboxes', as, { provider: 'join', name: 'alpha', direct })
  const { id } = Toolbox.parse(await made.json())
  const { line } = (await (await plane.request('POST', `/api/toolboxes/${id}/join-line`, as)).json()) as {
    line: string
  }
  const key = newTestKey()
  const enrolment = newKey({ publicKey: createPublicKey(key.privateKey), privateKey: key.privateKey })
  const enrolled = await plane.send('POST', '/dtma/enrol', {}, enrolment(id, /enrol_[\w-]+/.exec(line)![0]))
  const { dtmaBearerToken, backendToDtmaApiKey } = (await enrolled.json()) as Record<string, string>
  world = { id, key, port, apiKey: backendToDtmaApiKey!, asked: [], status: {}, as }
  close = await serving(key)
  const authorization = { authorization: `Bearer ${dtmaBearerToken}` }
  expect((await plane.send('POST', '/dtma/heartbeat', authorization, beatOf('run', 1))).status).toBe(200)
})

async function serving(key: TestKey): Promise<() => Promise<void>> {
  const app = new Hono().get('/status', (c) => {
    if (c.req.header('authorization') !== `Bearer ${world.apiKey}`) return c.json(problemOf('unauthenticated'), 401)
    world.asked.push(c.req.path)
    return c.json({ ...STATUS, toolboxId: world.id, ...world.status })
  })
  app.get('/health', (c) => c.json({ status: 'ok', version: '0.1.0' }))
  app.all('*', (c) => {
    world.asked.push(c.req.path)
    return c.json(problemOf('not-found'), 404)
  })
  const { close } = await openDtmaPort(app, key, world.port)
  return close
}

const problemOf = (code: string) => ({
  type: 'x',
  title: 'x',
  status: 401,
  detail: 'no',
  instance: 'x',
  code,
  fix: 'x',
  retryable: false,
})
const STATUS: DtmaStatus = {
  version: '0.1.0',
  apiVersion: API_VERSION,
  runId: 'run',
  uptimeSeconds: 1,
  docker: { state: 'ok', version: '28.0.0' },
  system: {
    cpus: 2,
    cpuUsage: 0,
    memoryBytes: 1,
    memoryUsedBytes: 1,
    diskBytes: 1,
    diskUsedBytes: 1,
    networkRxBytes: 0,
    networkTxBytes: 0,
    loadAverage: 0,
    uptimeSeconds: 1,
  },
  tools: [],
}

async function refreshed(): Promise<Observation> {
  const answer = await plane.request('POST', `/api/toolboxes-user/${world.id}/refresh-status`, world.as)
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { observation: Observation }).observation
}

test('a toolbox of the direct road is dialled as soon as it reports, and is reachable', async () => {
  const read = async () =>
    Toolbox.parse(await (await plane.request('GET', `/api/toolboxes/${world.id}`, world.as)).json())
  await expect.poll(async () => (await read()).connected).toBe(true)
  const { code, evidence } = await refreshed()
  expect(code).toBe('reachable')
  const order = [
    'direct road to 127.0.0.1',
    'accepts connections',
    'its key is',
    'round trip',
    'DTMA 0.1.0',
    'Docker ok',
  ]
  const places = order.map((words) => evidence.findIndex((line) => line.includes(words)))
  expect(places).toEqual([...places].sort((a, b) => a - b))
  expect(places).not.toContain(-1)
})

test('what is wrong on the way is named in order: port, key, right, version, Docker', async () => {
  const seen: [string, string | undefined][] = []
  const note = async () => {
    const { code, nextStep } = await refreshed()
    seen.push([code, nextStep])
  }
  await close()
  await note()
  close = await serving(newTestKey())
  await note()
  await close()
  close = await serving(world.key)
  world = { ...world, apiKey: 'another' }
  await note()
  expect(seen).toEqual([
    ['unreachable', expect.stringContaining('Start DTMA')],
    ['identity_mismatch', expect.stringContaining('address')],
    ['unauthorized', expect.stringContaining('Enrol')],
  ])
})

test('version and Docker come after', async () => {
  world.status = { apiVersion: 99 }
  expect((await refreshed()).code).toBe('incompatible')
  world.status = { docker: { state: 'down' } }
  expect((await refreshed()).code).toBe('docker_down')
})

test('P12 N03 another machine at the address is told nothing: no key, no status is asked of it', async () => {
  await refreshed()
  await close()
  close = await serving(newTestKey())
  world.asked.length = 0
  const { code, summary, evidence } = await refreshed()
  expect([code, summary]).toEqual(['identity_mismatch', 'Another machine is at its address: nothing was sent to it'])
  expect(evidence.join()).toMatch(/shows the key [0-9a-f]{16}, not [0-9a-f]{16}/)
  expect(world.asked).toEqual([])
})
