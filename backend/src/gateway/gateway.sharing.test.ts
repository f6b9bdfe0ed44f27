import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agents, toolbeltItems } from '../store/schema/index.ts'
import { openTestGateway, post, rpc, type TestGateway, toolCall } from './gateway.testing.ts'

// What a server has beside capabilities: prompts, resources, completion, subscriptions. The suite of e2e/ shows that they work.

let gateway: TestGateway
beforeAll(async () => {
  gateway = await openTestGateway()
})
afterAll(() => gateway.close())

const ADDRESS = 'agentopia:demo/file:///a'
const argument = { name: 'x', value: '' }

test.each([
  ['prompts/get', { name: 'demo__greet' }, -32_602],
  ['prompts/get', { name: 'greet' }, -32_602],
  ['resources/read', { uri: ADDRESS }, -32_002],
  ['resources/read', { uri: 'file:///a' }, -32_002],
  ['resources/subscribe', { uri: ADDRESS }, -32_002],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'demo__greet' }, argument }, -32_602],
  ['completion/complete', { ref: { type: 'ref/resource', uri: `${ADDRESS}/{x}` }, argument }, -32_002],
])('M15 %s %o is denied until it is allowed, and looks like nothing', async (method, params, code) => {
  const before = gateway.dtma.seen.length
  expect((await post(gateway, rpc(method, params))).body.error.code).toBe(code)
  expect(gateway.dtma.seen).toHaveLength(before)
})

test.each(['prompts/list', 'resources/list', 'resources/templates/list'])(
  'M15 %s asks no server whose list is not allowed',
  async (method) => {
    const before = gateway.dtma.seen.length
    const { body } = await post(gateway, rpc(method))
    expect(Object.values(body.result)).toContainEqual([])
    expect(gateway.dtma.seen).toHaveLength(before)
  },
)

test('M15 what is refused of prompts and resources is on record, with what was asked for', async () => {
  await post(gateway, rpc('prompts/get', { name: 'demo__greet' }))
  await post(gateway, rpc('resources/read', { uri: ADDRESS }))
  expect((await gateway.calls()).slice(0, 2)).toMatchObject([
    { capability: 'resources/read file:///a', instanceName: 'demo', outcome: 'denied', code: 'not-granted' },
    { capability: 'prompts/get greet', instanceName: 'demo', outcome: 'denied', code: 'not-granted' },
  ])
})

test('M15 a completion is a call: on record with what it completes, whether it is refused or made', async () => {
  const { store, demo } = gateway
  const set = (prompts: boolean) =>
    store.system((tx) => tx.update(toolbeltItems).set({ prompts }).where(eq(toolbeltItems.id, demo.itemId)))
  const complete = () =>
    post(gateway, rpc('completion/complete', { ref: { type: 'ref/prompt', name: 'demo__echo' }, argument }))
  await complete()
  expect((await gateway.calls())[0]).toMatchObject({
    capability: 'completion/complete echo',
    instanceName: 'demo',
    outcome: 'denied',
    code: 'not-granted',
    argumentBytes: Buffer.byteLength(JSON.stringify({ ref: { type: 'ref/prompt', name: 'echo' }, argument })),
  })
  await set(true)
  await expect.poll(async () => (await complete()).body.result).toEqual({ completion: { values: ['completed'] } })
  expect(gateway.dtma.seen.at(-1)?.request).toMatchObject({
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'echo' }, argument },
  })
  await store.system((tx) => tx.update(agents).set({ limits: { perMinute: 1 } }))
  await expect
    .poll(async () => {
      await complete()
      return (await complete()).body.error
    })
    .toMatchObject({ code: 429 })
  expect((await gateway.calls())[0]).toMatchObject({ capability: 'completion/complete echo', code: 'rate-limited' })
  await store.system((tx) => tx.update(agents).set({ limits: {} }))
  await set(false)
})

test('lists wake servers: an agent that asks for them without end is told to come again', async () => {
  const asked = await Promise.all(Array.from({ length: 300 }, (_, id) => post(gateway, rpc('prompts/list', {}, id))))
  const refused = asked.filter(({ body }) => body.error)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused[0]?.body.error).toMatchObject({ code: 429, data: { code: 'rate-limited', retryAfterSeconds: 1 } })
  expect(asked.length - refused.length).toBeGreaterThanOrEqual(100)
  expect((await post(gateway, toolCall('demo__echo', { text: 'x' }))).body.result).toBeDefined()
})

test('M15 the endpoint of one instance has the same rules, its own names, and nothing of others', async () => {
  const demo = { ...gateway, url: `${gateway.url}/demo` }
  const { body } = await post(demo, rpc('tools/list'))
  expect((body.result['tools'] as { name: string }[]).map(({ name }) => name)).toEqual([...gateway.granted])
  expect((await post(demo, toolCall('echo', { text: 'x' }))).body.result).toBeDefined()
  for (const name of ['never_granted', 'demo__echo', 'other__echo'])
    expect((await post(demo, toolCall(name))).body.error.code).toBe(-32_602)
  expect((await post({ ...gateway, url: `${gateway.url}/nobody` }, rpc('tools/list'))).status).toBe(404)
})

test('an item with plain names keeps those of its server; the others are as they were', async () => {
  const { store, demo } = gateway
  const set = (plainNames: boolean) =>
    store.system((tx) => tx.update(toolbeltItems).set({ plainNames }).where(eq(toolbeltItems.id, demo.itemId)))
  const names = async () =>
    ((await post(gateway, rpc('tools/list'))).body.result['tools'] as { name: string }[]).map(({ name }) => name)
  await set(true)
  await expect.poll(names).toEqual([...gateway.granted, 'other__echo'])
  expect((await post(gateway, toolCall('echo', { text: 'x' }))).body.result).toBeDefined()
  expect((await post(gateway, toolCall('demo__echo', { text: 'x' }))).body.error.code).toBe(-32_602)
  await set(false)
  await expect.poll(names).toContain('demo__echo')
})

/** The messages of an event stream, as they come. */
async function* messages(answer: Response): AsyncGenerator<{ method?: string; params?: Record<string, unknown> }> {
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split('\n\n')
    text = events.pop()!
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1]
      if (data !== undefined) yield JSON.parse(data)
    }
  }
}

const switchOther = (enabled: boolean) =>
  gateway.store.system((tx) =>
    tx.update(toolbeltItems).set({ enabled }).where(eq(toolbeltItems.id, gateway.other.itemId)),
  )

test('M15 a change of what an agent may call is told to who listens, in both eras, and only what was asked for', async () => {
  const KEY = 'io.modelcontextprotocol/'
  const meta = { [`${KEY}protocolVersion`]: '2026-07-28', [`${KEY}clientCapabilities`]: {} }
  const leave = new AbortController()
  const headers = { authorization: `Bearer ${gateway.secret}`, accept: 'application/json, text/event-stream' }
  const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' }
  const listen = (notifications: object, id: string) =>
    fetch(gateway.url, {
      method: 'POST',
      headers: { ...headers, ...modern, 'content-type': 'application/json' },
      body: JSON.stringify(rpc('subscriptions/listen', { notifications, _meta: meta }, id)),
      signal: leave.signal,
    }).then(messages)
  const asked = await listen({ toolsListChanged: true, resourceSubscriptions: [ADDRESS] }, 'sub')
  const others = await listen({ promptsListChanged: true }, 'others')
  const standing = messages(await fetch(gateway.url, { headers, signal: leave.signal }))

  // Not the resource: it is not allowed.
  expect((await asked.next()).value).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { toolsListChanged: true }, _meta: { [`${KEY}subscriptionId`]: 'sub' } },
  })
  expect((await others.next()).value.params.notifications).toEqual({ promptsListChanged: true })
  const told = [asked.next(), standing.next()]
  await switchOther(false)
  expect((await Promise.all(told)).map(({ value }) => value)).toEqual([
    {
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: { [`${KEY}subscriptionId`]: 'sub' } },
    },
    { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
  ])
  const heard = await Promise.race([
    others.next(),
    switchOther(true)
      .then(() => asked.next())
      .then(() => 'nothing'),
  ])
  expect(heard).toBe('nothing')
  leave.abort()
})
