import { setTimeout as sleep } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { insertAgentToken } from '../agents/agent-token.store.ts'
import { createCatalog } from '../catalog/catalog.ts'
import { CURATED } from '../catalog/curated.ts'
import { storeCredential } from '../credentials/credential.store.ts'
import { hintsOf } from '../credentials/credential.values.ts'
import { newId } from '../new-id.ts'
import type { Tx } from '../store/connect.ts'
import {
  agents,
  agentTokens,
  agentToolboxAccess,
  callSettings,
  capabilityPermissions,
  credentials,
  instances,
  toolbeltItems,
} from '../store/schema/index.ts'
import type { MakeCall } from './call.ts'
import { openTestGateway, post, type TestGateway, toolCall } from './gateway.testing.ts'
import { createKillSwitch } from './kill-switch.ts'
import { readToolbelt } from './toolbelt.store.ts'
import type { OpenToolbelt } from './toolbelts.ts'

// Whoever takes a right away ends what is under way with it, and nothing else.

let gateway: TestGateway
beforeEach(async () => {
  gateway = await openTestGateway({ timeoutMs: 60_000 })
})
afterEach(() => gateway.close())

/** Longest time that a switch may take to be effective. */
const EFFECTIVE_MS = 10_000

const SWITCHES: Readonly<Record<string, (tx: Tx, g: TestGateway) => Promise<unknown>>> = {
  'the agent': (tx, g) => tx.update(agents).set({ enabled: false }).where(eq(agents.id, g.agentId)),
  'the account': (tx) => tx.insert(callSettings).values({ accountId: 'account_1', enabled: false }),
  'the tool instance': (tx, g) =>
    tx.update(instances).set({ desired: 'stopped' }).where(eq(instances.id, g.demo.instanceId)),
  'the toolbelt item': (tx, g) =>
    tx.update(toolbeltItems).set({ enabled: false }).where(eq(toolbeltItems.id, g.demo.itemId)),
  'the access to the toolbox': (tx) => tx.delete(agentToolboxAccess),
  'the permission': (tx, g) =>
    tx.delete(capabilityPermissions).where(eq(capabilityPermissions.toolbeltItemId, g.demo.itemId)),
}

test.each(Object.entries(SWITCHES))(
  '%s is switched off: calls under way end, and no new one is made',
  async (_, off) => {
    const before = gateway.dtma.gone.length
    const underWay = post(gateway, toolCall('demo__slow', { ms: 60_000 }))
    await vi.waitFor(() => expect(gateway.dtma.seen).toHaveLength(1))
    const from = performance.now()
    await gateway.store.system((tx) => off(tx, gateway))
    const { body } = await underWay
    const tookMs = performance.now() - from
    expect(body.error).toMatchObject({ code: 403, data: { code: 'call-stopped', retryable: false } })
    expect(tookMs).toBeLessThan(EFFECTIVE_MS)
    await vi.waitFor(() => expect(gateway.dtma.gone.slice(before)).toEqual(['slow'])) // the tool was told
    expect((await gateway.calls())[0]).toMatchObject({ outcome: 'cancelled', code: 'call-stopped' })

    const seen = gateway.dtma.seen.length
    const { body: refused } = await post(gateway, toolCall('demo__echo', { text: 'x' }))
    expect(refused.error.message).toBe('Unknown tool: demo__echo')
    expect(gateway.dtma.seen).toHaveLength(seen)
    expect((await gateway.calls())[0]).toMatchObject({ outcome: 'denied' })
  },
)

test('whoever waits for the end of all calls hears it when the last one is answered', async () => {
  const ended: string[] = []
  const { makeCall, idle } = createKillSwitch({
    makeCall: async ({ capability }) => {
      await sleep(capability === 'slow' ? 80 : 10)
      ended.push(capability)
      return {} as Awaited<ReturnType<MakeCall>>
    },
    toolbelts: { of: async () => undefined },
    log: pino({ level: 'silent' }),
  })
  await idle()
  const wanted = (capability: string) =>
    ({
      capability,
      item: { id: 'belt_1' },
      toolbelt: { agent: { accountId: 'account_1', id: 'agent_1' } },
      signal: new AbortController().signal,
    }) as Parameters<MakeCall>[0]
  void makeCall(wanted('slow'))
  void makeCall(wanted('quick'))
  await idle()
  expect(ended).toEqual(['quick', 'slow'])
})

test('what the switch does not reach goes on', async () => {
  const { itemId } = gateway.other
  await gateway.store.system((tx) =>
    tx.insert(capabilityPermissions).values({ accountId: 'account_1', toolbeltItemId: itemId, capability: 'slow' }),
  )
  await vi.waitFor(async () => {
    const { body } = await post(gateway, toolCall('other__slow', { ms: 1 }))
    expect(body.result).toBeDefined()
  })
  const seen = gateway.dtma.seen.length
  const theirs = post(gateway, toolCall('other__slow', { ms: 1_500 }))
  const mine = post(gateway, toolCall('demo__slow', { ms: 60_000 }))
  await vi.waitFor(() => expect(gateway.dtma.seen).toHaveLength(seen + 2))
  await gateway.store.system((tx) =>
    tx.update(instances).set({ desired: 'stopped' }).where(eq(instances.id, gateway.demo.instanceId)),
  )
  expect((await mine).body.error.data?.['code']).toBe('call-stopped')
  expect((await theirs).body.result['content']).toEqual([{ type: 'text', text: 'at last' }])
})

test('a switch whose announcement was lost is effective all the same', async () => {
  const quiet = await openTestGateway({ timeoutMs: 60_000, announced: false })
  try {
    const underWay = post(quiet, toolCall('demo__slow', { ms: 60_000 }))
    await vi.waitFor(() => expect(quiet.dtma.seen).toHaveLength(1))
    const from = performance.now()
    await quiet.store.system((tx) => tx.update(agents).set({ enabled: false }))
    expect((await underWay).body.error.data?.['code']).toBe('call-stopped')
    expect(performance.now() - from).toBeLessThan(EFFECTIVE_MS)
    const { body } = await post(quiet, toolCall('demo__echo', { text: 'x' }))
    expect(body.error.message).toContain('Unknown tool')
  } finally {
    await quiet.close()
  }
})

test('a hundred calls of one agent end together', async () => {
  const wide = await openTestGateway({ timeoutMs: 60_000, atOnce: 200 })
  try {
    const all = Array.from({ length: 100 }, (_, n) => post(wide, toolCall('demo__slow', { ms: 60_000 }, n)))
    await vi.waitFor(() => expect(wide.dtma.seen).toHaveLength(100), { timeout: 10_000 })
    await sleep(50)
    const from = performance.now()
    await wide.store.system((tx) => tx.update(agents).set({ enabled: false }))
    const codes = (await Promise.all(all)).map(({ body }) => body.error.data?.['code'])
    expect(new Set(codes)).toEqual(new Set(['call-stopped']))
    expect(performance.now() - from).toBeLessThan(EFFECTIVE_MS)
    await vi.waitFor(() => expect(wide.dtma.gone).toHaveLength(100))
  } finally {
    await wide.close()
  }
})

test('a token is revoked: what is under way with it ends, and what another token called goes on', async () => {
  const of = { id: gateway.agentId, accountId: 'account_1' }
  const { secret } = await gateway.store.system((tx) => insertAgentToken(tx, of, 'another'))
  const seen = gateway.dtma.seen.length
  const theirs = post({ url: gateway.url, secret }, toolCall('demo__slow', { ms: 2_500 }))
  const mine = post(gateway, toolCall('demo__slow', { ms: 60_000 }))
  await vi.waitFor(() => expect(gateway.dtma.seen).toHaveLength(seen + 2))
  const from = performance.now()
  await gateway.store.system((tx) => tx.delete(agentTokens).where(eq(agentTokens.id, gateway.tokenId)))
  const ended = await mine.then(
    ({ body }) => body.error.data?.['code'],
    () => 'cut', // the connection may end before the answer is written
  )
  expect(['call-stopped', 'cut']).toContain(ended)
  expect(performance.now() - from).toBeLessThan(EFFECTIVE_MS)
  await vi.waitFor(() => expect(gateway.dtma.gone).toEqual(['slow']))
  expect((await theirs).body.result['content']).toEqual([{ type: 'text', text: 'at last' }])
  expect((await post(gateway, toolCall('demo__echo', { text: 'x' }))).status).toBe(401)
})

test('a credential is revoked: what is under way with it ends, and what another one is used for goes on', async () => {
  const secret = { key: 'apiKey', title: 'apiKey', required: true, target: { env: 'API_KEY' } }
  const catalog = createCatalog([{ ...CURATED[0]!, id: 'fake', secrets: [secret] }])
  const secretive = await openTestGateway({ timeoutMs: 60_000, catalog })
  try {
    const { store, seals, demo, other, allow, dtma } = secretive
    const values = { apiKey: 'correct horse battery' }
    for (const { itemId } of [demo, other])
      await store.system(async (tx) => {
        const place = { id: newId('cred'), accountId: 'account_1', version: 1 }
        const sealed = await seals.seal(tx, place, values)
        await storeCredential(tx, { ...place, toolbeltItemId: itemId, sealed, hints: hintsOf(values) })
      })
    await allow(other.itemId, ['slow'])
    await vi.waitFor(async () =>
      expect((await post(secretive, toolCall('other__slow', { ms: 1 }))).body.result).toBeDefined(),
    )
    const seen = dtma.seen.length
    const theirs = post(secretive, toolCall('other__slow', { ms: 4_000 }))
    const mine = post(secretive, toolCall('demo__slow', { ms: 60_000 }))
    await vi.waitFor(() => expect(dtma.seen).toHaveLength(seen + 2))
    const from = performance.now()
    await store.system((tx) => tx.delete(credentials).where(eq(credentials.toolbeltItemId, demo.itemId)))
    expect((await mine).body.error.data?.['code']).toBe('call-stopped')
    expect(performance.now() - from).toBeLessThan(EFFECTIVE_MS)
    await vi.waitFor(() => expect(dtma.gone).toEqual(['slow']))
    expect((await theirs).body.result['content']).toEqual([{ type: 'text', text: 'at last' }])
  } finally {
    await secretive.close()
  }
}, 30_000)

test('whoever calls by another door is asked about too', async () => {
  let isLetIn = true
  const held: MakeCall = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const toolbelt = await gateway.store.tenant('account_1', (tx) => readToolbelt(tx, gateway.agentId, createCatalog([])))
  const open = { toolbelt: toolbelt! } as OpenToolbelt
  const guarded = createKillSwitch({
    makeCall: held,
    toolbelts: { of: async () => open },
    log: pino({ level: 'silent' }),
    lookEveryMs: 5,
  })
  const call = guarded.makeCall({
    toolbelt: open.toolbelt,
    via: 'rest',
    item: open.toolbelt.items.find(({ id }) => id === gateway.demo.itemId),
    capability: 'echo',
    arguments: {},
    id: 1,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    isLetIn: async () => isLetIn,
  })
  await sleep(30)
  isLetIn = false
  await expect(call).rejects.toMatchObject({ code: 'call-stopped', message: expect.stringContaining('token') })
})
