import { type DtmaStatus, type Fetch, TUNNEL_CLOSE } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMasterSealer } from '../master-key/master-sealer.ts'
import { type Machine, ProviderError, type ToolboxProvider } from '../providers/provider.ts'
import type { Store } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { Sealer } from '../store/seal.ts'
import { openTestStore } from '../store/testing.ts'
import { openUplink } from '../uplink/uplink.testing.ts'
import type { TunnelFacts } from './diagnose.ts'
import { createDtmaClients } from './dtma-client.ts'
import { createObserver } from './observe.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const statusOf = (toolboxId: string, over: Partial<DtmaStatus> = {}): DtmaStatus => ({
  version: '0.2.0',
  apiVersion: 1,
  toolboxId,
  runId: 'r',
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
  ...over,
})

const never = new Promise<never>(() => {})

/** An enrolled toolbox whose tunnel and provider are played by the test. */
async function scene(sealer?: Pick<Sealer, 'open'>) {
  const uplink = openUplink(store)
  const { id } = await uplink.joined()
  await store.system((tx) =>
    tx
      .update(toolboxes)
      .set({ lastHeartbeatAt: new Date(uplink.clock.now()) })
      .where(eq(toolboxes.id, id)),
  )
  const world: { fetch?: Fetch; facts: TunnelFacts; find: ToolboxProvider['find'] } = {
    facts: { open: true, since: new Date(uplink.clock.now()) },
    find: async () => undefined,
  }
  const paths: string[] = []
  const fetchOf = (): Fetch | undefined => {
    const answer = world.fetch
    if (!answer) return undefined
    return (url, init) => {
      paths.push(new URL(url).pathname)
      return answer(url, init)
    }
  }
  const clients = createDtmaClients({ roadOf: fetchOf, sealer: sealer ?? uplink.sealer })
  const provider = { name: 'local', find: (...args: Parameters<ToolboxProvider['find']>) => world.find(...args) }
  const observer = createObserver({
    store,
    clock: uplink.clock,
    clients,
    roads: { fetchOf, factsOf: () => world.facts },
    providerOf: () => provider as ToolboxProvider,
    signal: new AbortController().signal,
  })
  return { id, world, paths, observer, uplink, look: () => observer.look(id) }
}

const closed = (code: number, cause: 'goodbye' | 'broken' | 'silent'): TunnelFacts => ({
  open: false,
  lastClose: { at: new Date(0), code, cause },
})
const machine = (over: Partial<Machine>): Machine => ({
  ref: 'c',
  state: 'running',
  current: true,
  description: 'seen',
  ...over,
})

test('a DTMA that answers is reachable, and what it said is stored', async () => {
  const { id, world, look, uplink, paths } = await scene()
  world.fetch = async () => Response.json(statusOf(id))
  world.find = async () => machine({})
  expect(await look()).toMatchObject({
    code: 'reachable',
    evidence: expect.arrayContaining(['round trip 0 ms', 'seen']),
  })
  expect(paths).toEqual(['/status'])
  expect(await uplink.row(id)).toMatchObject({
    dtmaVersion: '0.2.0',
    system: { cpus: 2 },
    observation: { code: 'reachable' },
  })
})

test('where its key does not open without another master key, nothing is said of the toolbox: whoever asks is told so', async () => {
  const { id, world, look, uplink, paths } = await scene(createMasterSealer(Buffer.alloc(32, 99)))
  world.fetch = async () => Response.json(statusOf(id))
  await expect(look()).rejects.toMatchObject({ code: 'master-key-missing' })
  expect(paths).toEqual([])
  expect((await uplink.row(id))?.observation).toBeNull()
})

test('up, stopped, killed, paused and a wrong key are five different codes', async () => {
  const { id, world, look, uplink } = await scene()
  const codes: (string | undefined)[] = []
  const note = async () => codes.push((await look())?.code)

  world.fetch = async () => Response.json(statusOf(id))
  await note()

  delete world.fetch
  world.facts = closed(TUNNEL_CLOSE.stopping, 'goodbye')
  world.find = async () => machine({ state: 'stopped', exit: { code: 0, at: new Date(0) } })
  await note()

  world.facts = closed(1006, 'broken')
  world.find = async () => machine({ state: 'stopped', exit: { code: 137, at: new Date(0) } })
  await note()

  world.facts = { open: true, since: new Date(0) }
  world.fetch = () => never
  world.find = async () => machine({ state: 'paused' })
  const paused = note()
  await uplink.clock.advance(0)
  while (uplink.clock.sleepers === 0) await uplink.clock.advance(0)
  await uplink.clock.advance(3_000)
  await paused

  world.find = async () => machine({})
  world.fetch = async (url) =>
    url.endsWith('/health')
      ? Response.json({ status: 'ok', version: '0.2.0' })
      : Response.json(
          {
            type: 'x',
            title: 'x',
            status: 401,
            detail: 'x',
            instance: 'x',
            code: 'unauthenticated',
            fix: 'x',
            retryable: false,
          },
          { status: 401 },
        )
  await note()
  expect(codes).toEqual(['reachable', 'stopped', 'unreachable', 'not_answering', 'unauthorized'])
  expect((await uplink.row(id)).observation!.evidence.slice(0, 2)).toEqual([
    'GET /status answered HTTP 401 (unauthenticated)',
    'GET /health without a key: ok, version 0.2.0',
  ])
})

test('a DTMA whose answer is that of another toolbox is not believed', async () => {
  const { id, world, look, uplink } = await scene()
  world.fetch = async () => Response.json(statusOf('toolbox_other', { version: '9.9.9' }))
  expect((await look())?.code).toBe('identity_mismatch')
  expect((await uplink.row(id)).dtmaVersion).toBe('0.1.0')
})

test.each([
  ['another program', async () => new Response('<html>', { status: 200 }), 'incompatible'],
  ['a reply without the fields', async () => Response.json({}), 'incompatible'],
  ['a page that is not found', async () => new Response('nothing', { status: 404 }), 'incompatible'],
  ['a proxy that fails', async () => new Response('bad gateway', { status: 502 }), 'not_answering'],
  ['a connection that breaks', () => Promise.reject(new Error('reset')), 'unreachable'],
] as const)('%s is an answer, never a failure of ours', async (_, answer, code) => {
  const { world, look } = await scene()
  world.fetch = answer
  expect((await look())?.code).toBe(code)
})

test('a provider that cannot be asked, or hangs, is only evidence', async () => {
  const { id, world, look, uplink } = await scene()
  world.fetch = async () => Response.json(statusOf(id))
  world.find = () => Promise.reject(new ProviderError('Docker does not run on this machine'))
  expect(await look()).toMatchObject({
    code: 'reachable',
    evidence: expect.arrayContaining(['Docker does not run on this machine']),
  })
  world.find = () => never
  const look2 = look()
  while (uplink.clock.sleepers === 0) await uplink.clock.advance(0)
  await uplink.clock.advance(3_000)
  expect((await look2)?.evidence).toContain('no answer within 3000 ms')
})

test('looks at the same time are one, and the code keeps its beginning', async () => {
  const { id, world, look, paths, uplink } = await scene()
  world.fetch = async () => Response.json(statusOf(id))
  const [first, second] = await Promise.all([look(), look()])
  expect(second).toBe(first)
  expect(paths).toHaveLength(1)
  await uplink.clock.advance(60_000)
  const third = await look()
  expect(third).toMatchObject({ since: first!.since })
  expect(third!.observedAt).not.toBe(first!.observedAt)
})

test('there is nothing to see of a toolbox that does not exist', async () => {
  const { observer } = await scene()
  expect(await observer.look('toolbox_0000000000000000')).toBeUndefined()
})
