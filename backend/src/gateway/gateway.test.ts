import { setTimeout as sleep } from 'node:timers/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { and, eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { agents, agentTokens, capabilityPermissions, instances, toolbeltItems } from '../store/schema/index.ts'
import { openTestGateway, post, rpc, type TestGateway, toolCall } from './gateway.testing.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await openTestGateway()
})
afterAll(() => gateway.close())

async function connect(version?: string): Promise<Client> {
  const transport = new StreamableHTTPClientTransport(new URL(gateway.url), {
    requestInit: { headers: { authorization: `Bearer ${gateway.secret}` } },
  })
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    version ? { versionNegotiation: { mode: { pin: version } } } : {},
  )
  await client.connect(transport as never)
  return client
}

test.each([undefined, '2026-07-28'])(
  'the official client lists what is granted, and calls it (%s)',
  async (version) => {
    const client = await connect(version)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name).sort()).toEqual(
      [...gateway.granted.map((name) => `demo__${name}`), 'other__echo'].sort(),
    )
    expect(tools.find(({ name }) => name === 'demo__echo')).toMatchObject({
      description: 'Does what its name says: echo',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
    })
    const result = await client.callTool({ name: 'demo__echo', arguments: { text: 'Grüße' } })
    expect(result.content).toEqual([{ type: 'text', text: 'Grüße' }])
    expect((await client.callTool({ name: 'demo__fails', arguments: {} })).isError).toBe(true)
    expect(client.getServerVersion()?.name).toBe('agentopia-toolboxes')
    await client.close()
  },
)

test.each([undefined, '2026-07-28'])('what is denied looks like what does not exist (%s)', async (version) => {
  const client = await connect(version)
  const before = gateway.dtma.seen.length
  for (const name of ['demo__never_granted', 'demo__no_such_thing', 'nobody__echo', 'echo'])
    await expect(client.callTool({ name, arguments: {} })).rejects.toMatchObject({
      code: -32_602,
      message: expect.stringContaining(`Unknown tool: ${name}`),
    })
  expect(gateway.dtma.seen).toHaveLength(before)
  const records = (await gateway.calls()).slice(0, 4)
  expect(records.map(({ outcome }) => outcome)).toEqual(Array(4).fill('denied'))
  expect(records.map(({ code, capability }) => [capability, code]).sort()).toEqual([
    ['demo__no_such_thing', 'unknown'],
    ['echo', 'unknown'],
    ['never_granted', 'not-granted'],
    ['nobody__echo', 'unknown'],
  ])
  await client.close()
})

test.each([undefined, '2026-07-28'])('progress and log messages arrive while a call runs (%s)', async (version) => {
  const client = await connect(version)
  const progress: number[] = []
  const result = await client.callTool(
    { name: 'demo__talks', arguments: {} },
    { onprogress: (step) => void progress.push(step.progress) },
  )
  expect([result.content, progress]).toEqual([[{ type: 'text', text: 'said' }], [1, 2, 3]])
  await client.close()
})

test.each([undefined, '2026-07-28'])('M13 a call that the client takes back ends at the tool (%s)', async (version) => {
  const client = await connect(version)
  const [seen, gone] = [gateway.dtma.seen.length, gateway.dtma.gone.length]
  const abort = new AbortController()
  const call = client.callTool({ name: 'demo__slow', arguments: {} }, { signal: abort.signal })
  const failed = expect(call).rejects.toThrow()
  await vi.waitFor(() => expect(gateway.dtma.seen).toHaveLength(seen + 1))
  abort.abort()
  await failed
  await vi.waitFor(() => expect(gateway.dtma.gone.slice(gone)).toEqual(['slow']), { timeout: 2_000 })
  await vi.waitFor(async () => expect((await gateway.calls())[0]).toMatchObject({ outcome: 'cancelled' }))
  await client.close()
})

test('M19 a call is on record with who, what, how long, how large; never with what was said', async () => {
  await post(gateway, toolCall('demo__echo', { text: 'a secret word' }))
  const [record] = await gateway.calls()
  expect(record).toMatchObject({
    agentId: gateway.agentId,
    agentName: 'helper',
    instanceId: gateway.demo.instanceId,
    instanceName: 'demo',
    capability: 'echo',
    outcome: 'ok',
    argumentDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    argumentBytes: 24,
    durationMs: expect.any(Number),
    resultBytes: expect.any(Number),
  })
  expect(JSON.stringify(record)).not.toContain('secret')
})

test('what goes to a tool is written anew: its own name for the capability, and nothing that is between us and the client', async () => {
  const meta = { progressToken: 'p', traceparent: 'x', 'io.modelcontextprotocol/clientInfo': { name: 'c' } }
  await post(gateway, rpc('tools/call', { name: 'demo__echo', arguments: { text: 'x' }, _meta: meta, extra: 1 }, 'id'))
  const seen = gateway.dtma.seen.at(-1)
  expect(seen?.instanceId).toBe(gateway.demo.instanceId)
  expect(seen?.request).toEqual({
    jsonrpc: '2.0',
    id: 'id',
    method: 'tools/call',
    params: {
      name: 'echo',
      arguments: { text: 'x' },
      _meta: {
        progressToken: 'p',
        traceparent: 'x',
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/logLevel': 'debug',
      },
    },
  })
})

test('M03 the token of the agent goes no further', async () => {
  await post(gateway, toolCall('demo__echo', { text: 'x' }), { cookie: `session=${gateway.secret}` })
  expect(JSON.stringify(gateway.dtma.seen.at(-1))).not.toContain(gateway.secret)
  expect(gateway.dtma.seen.at(-1)?.headers.authorization).toBeUndefined()
})

const canCall = async () => (await post(gateway, toolCall('demo__echo'))).body.error === undefined

/** How long a change in the database takes to hold, in milliseconds. */
async function timeToEffect(change: () => Promise<unknown>, works: () => Promise<boolean>): Promise<number> {
  await change()
  const from = performance.now()
  while (await works()) await sleep(5)
  return performance.now() - from
}

test('every way to take a right away holds within a second, and giving it back too', async () => {
  const { store, agentId, demo } = gateway
  const set = (enabled: boolean) =>
    store.system((tx) => tx.update(agents).set({ enabled }).where(eq(agents.id, agentId)))
  const ways: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
    ['agent', () => set(false), () => set(true)],
    [
      'item',
      () =>
        store.system((tx) => tx.update(toolbeltItems).set({ enabled: false }).where(eq(toolbeltItems.id, demo.itemId))),
      () =>
        store.system((tx) => tx.update(toolbeltItems).set({ enabled: true }).where(eq(toolbeltItems.id, demo.itemId))),
    ],
    [
      'instance',
      () =>
        store.system((tx) => tx.update(instances).set({ desired: 'stopped' }).where(eq(instances.id, demo.instanceId))),
      () =>
        store.system((tx) => tx.update(instances).set({ desired: 'running' }).where(eq(instances.id, demo.instanceId))),
    ],
    [
      'capability',
      () =>
        store.system((tx) =>
          tx
            .delete(capabilityPermissions)
            .where(
              and(eq(capabilityPermissions.toolbeltItemId, demo.itemId), eq(capabilityPermissions.capability, 'echo')),
            ),
        ),
      () =>
        store.system((tx) =>
          tx
            .insert(capabilityPermissions)
            .values({ accountId: 'account_1', toolbeltItemId: demo.itemId, capability: 'echo' }),
        ),
    ],
  ]
  for (const [what, take, give] of ways) {
    expect([what, await canCall()]).toEqual([what, true])
    expect(await timeToEffect(take, canCall)).toBeLessThan(1_000)
    const { body } = await post(gateway, rpc('tools/list'))
    expect((body.result['tools'] as { name: string }[]).some(({ name }) => name === 'demo__echo')).toBe(false)
    expect(await timeToEffect(give, async () => !(await canCall()))).toBeLessThan(1_000)
  }
})

test('a revoked token opens nothing within a second', async () => {
  const other = await openTestGateway()
  try {
    const works = async () => (await post(other, rpc('ping'))).status === 200
    expect(await works()).toBe(true)
    const revoke = () => other.store.system((tx) => tx.delete(agentTokens).where(eq(agentTokens.id, other.tokenId)))
    expect(await timeToEffect(revoke, works)).toBeLessThan(1_000)
    expect((await post(other, rpc('ping'))).headers.get('www-authenticate')).toContain('invalid_token')
  } finally {
    await other.close()
  }
})
