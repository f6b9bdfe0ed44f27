import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { instances } from '../store/schema/index.ts'
import { openTestGateway, post, rpc, type TestGateway, toolCall } from './gateway.testing.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await openTestGateway()
})
afterAll(() => gateway.close())

const json = JSON.stringify(toolCall('demo__echo', { text: 'x' }))

test.each<[string, string | Uint8Array, number]>([
  ['a batch', `[${json}]`, 400],
  ['an empty batch', '[]', 400],
  ['a byte order mark', `\ufeff${json}`, 400],
  ['UTF-16', Buffer.from(json, 'utf16le'), 400],
  ['half a character', Buffer.concat([Buffer.from(json.slice(0, -6)), Buffer.from([0xc3]), Buffer.from('"}}}')]), 400],
  ['trailing bytes', `${json} {}`, 400],
  ['a second line', `${json}\n${json}`, 400],
  ['no body', '', 400],
  ['null', 'null', 400],
  ['a text', '"tools/call"', 400],
  ['a method twice', json.replace('"method"', '"method":"ping","method"'), 400],
  ['a method twice, once disguised', json.replace('"method"', '"meth\\u006fd":"ping","method"'), 400],
  ['an argument twice', json.replace('"text"', '"text":"y","text"'), 400],
  ['Method for method', json.replace('"method"', '"Method"'), 400],
  ['Method beside method', json.replace('"method"', '"Method":"ping","method"'), 400],
  ['Name beside name', json.replace('"name"', '"Name":"demo__never_granted","name"'), 400],
  ['Arguments beside arguments', json.replace('"arguments"', '"ARGUMENTS":{},"arguments"'), 400],
  ['jsonrpc 1.0', json.replace('2.0', '1.0'), 400],
  ['no jsonrpc', json.replace('"jsonrpc":"2.0",', ''), 400],
  ['an id that is null', json.replace('"id":1', '"id":null'), 400],
  ['an id that is no integer', json.replace('"id":1', '"id":1.5'), 400],
  ['an id that is an object', json.replace('"id":1', '"id":{}'), 400],
  ['params that are a list', json.replace(/"params":.*/, '"params":[]}'), 400],
  ['a method that is a number', json.replace('"tools/call"', '7'), 400],
  ['depth', json.replace('"x"', `${'['.repeat(70)}${']'.repeat(70)}`), 400],
  ['depth without end', '['.repeat(1_000_000), 400],
  ['more than the limit', json.replace('"x"', `"${'x'.repeat(4 << 20)}"`), 413],
])('M16 %s is refused, and reaches no tool', async (_, body, status) => {
  const before = gateway.dtma.seen.length
  const answer = await post(gateway, body)
  expect([answer.status, answer.body.error.code < 0]).toEqual([status, true])
  expect(gateway.dtma.seen).toHaveLength(before)
})

test.each([
  ['text/plain', 415],
  ['text/event-stream', 415],
  ['application/json-patch+json', 415],
  ['application/x-www-form-urlencoded', 415],
  ['application/json; charset=utf-16', 415],
  ['application/json, text/plain', 415],
  ['application/json; charset=utf-8', 200],
  ['Application/JSON', 200],
])('M16 the content type %s: %i', async (type, status) => {
  expect((await post(gateway, json, { 'content-type': type })).status).toBe(status)
})

test('M16 a compressed body is refused', async () => {
  expect((await post(gateway, json, { 'content-encoding': 'gzip' })).status).toBe(415)
})

test.each<[string, Record<string, string>]>([
  ['no token', { authorization: '' }],
  ['a token of nobody', { authorization: `Bearer agt_${'x'.repeat(43)}` }],
  ['a token of a person', { authorization: `Bearer tbx_${'x'.repeat(43)}` }],
  ['another scheme', { authorization: 'Basic YTpi' }],
  ['two tokens', { authorization: 'Bearer a, Bearer b' }],
])('M01 %s: 401, with what is asked for', async (_, headers) => {
  const answer = await post(gateway, json, headers)
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Bearer realm/)])
})

test('M01 nobody learns from the answer whether a method or a tool exists', async () => {
  const bodies = [json, JSON.stringify(toolCall('nothing')), '[]', '{']
  const answers = await Promise.all(bodies.map((body) => post({ ...gateway, secret: 'agt_no' }, body)))
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
})

test('T13 a token in the address is refused, even beside a good one', async () => {
  const answer = await post({ ...gateway, url: `${gateway.url}?token=${gateway.secret}` }, json)
  expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining('Authorization')])
})

test.each([
  ['https://evil.example', 403],
  ['null', 403],
  ['http://127.0.0.1:1', 403],
  ['https://tools.example.com.evil.example', 403],
  ['https://tools.example.com', 200],
])('M04 a page of %s: %i', async (origin, status) => {
  expect((await post(gateway, json, { origin })).status).toBe(status)
})

test.each(['evil.example', 'localhost.evil.example', '169.254.169.254', '10.0.0.1:3000', ''])(
  'M04 under the host "%s" it is not known (DNS rebinding)',
  async (host) => {
    const { port } = new URL(gateway.url)
    const head = `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${gateway.secret}\r\n`
    const rest = `Content-Type: application/json\r\nContent-Length: ${json.length}\r\nConnection: close\r\n\r\n${json}`
    expect(await raw(Number(port), head + rest)).toMatch(/^HTTP\/1\.1 403 /)
  },
)

test('a client that is still sending hears why it is refused', async () => {
  const { port } = new URL(gateway.url)
  const head = `POST /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n`
  expect(await raw(Number(port), head + 'x'.repeat(2_000_000))).toMatch(/^HTTP\/1\.1 401 [\s\S]*connection: close/i)
})

/** Everything that is answered to these bytes until the connection ends. */
const raw = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    connect(port, '127.0.0.1')
      .on('data', (chunk) => (text += chunk.toString()))
      .on('close', () => resolve(text))
      .on('error', reject)
      .write(bytes)
  })

test.each(['GET', 'DELETE', 'PUT', 'PATCH'])('%s is not served', async (method) => {
  const answer = await fetch(gateway.url, { method, headers: { authorization: `Bearer ${gateway.secret}` } })
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST'])
})

test('other paths are left to others', async () => {
  for (const path of ['/mcp/', '/mcpx', '/MCP']) {
    const answer = await fetch(gateway.url.replace('/mcp', path), { method: 'POST' })
    expect([path, answer.status]).toEqual([path, 404])
  }
})

test.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
  'M06 the revision %s begins with initialize',
  async (v) => {
    const answer = await post(gateway, rpc('initialize', { protocolVersion: v, capabilities: {}, clientInfo: {} }))
    expect(answer.body.result).toMatchObject({ protocolVersion: v, capabilities: { tools: {} } })
    expect((await post(gateway, rpc('tools/list'), { 'mcp-protocol-version': v })).status).toBe(200)
  },
)

test('M06 an unknown revision is answered with the newest that begins so, and refused as a header', async () => {
  const answer = await post(gateway, rpc('initialize', { protocolVersion: '2099-01-01' }))
  expect(answer.body.result['protocolVersion']).toBe('2025-11-25')
  const refused = await post(gateway, rpc('tools/list'), { 'mcp-protocol-version': '2099-01-01' })
  expect([refused.status, refused.body.error.code]).toEqual([400, -32_022])
})

test('no session is needed, and any is taken', async () => {
  expect((await post(gateway, rpc('tools/list'))).status).toBe(200)
  expect((await post(gateway, rpc('tools/list'), { 'mcp-session-id': 'of another server' })).status).toBe(200)
})

test('notifications and answers are taken in silence; unknown methods are told apart', async () => {
  for (const body of [
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 99 } },
    { jsonrpc: '2.0', id: 1, result: {} },
  ]) {
    const answer = await post(gateway, body)
    expect([answer.status, answer.body]).toEqual([202, undefined])
  }
  expect((await post(gateway, rpc('ping'))).body.result).toEqual({})
  for (const method of ['server/discover', 'subscriptions/listen', 'tasks/list', 'constructor', '__proto__'])
    expect((await post(gateway, rpc(method))).body.error.code).toBe(-32_601)
})

test.each([
  ['no name', { arguments: {} }],
  ['a name that is a list', { name: ['demo__echo'] }],
  ['arguments that are a list', { name: 'demo__echo', arguments: [] }],
  ['arguments that are a text', { name: 'demo__echo', arguments: '{}' }],
  ['a cursor of nobody', { cursor: '-1' }],
  ['a cursor that is a number', { cursor: 1 }],
])('%s: invalid params', async (_, params) => {
  const { status, body } = await post(gateway, rpc('cursor' in params ? 'tools/list' : 'tools/call', params))
  expect([status, body.error.code]).toEqual([200, -32_602])
})

test('a name that no database holds is refused and recorded like any other', async () => {
  const name = 'nul \u0000 half \ud800 hidden \u200b'
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":${JSON.stringify(name)}}}`
  expect((await post(gateway, body)).body.error.message).toBe('Unknown tool: nul  half \ufffd hidden ')
  expect((await gateway.calls())[0]).toMatchObject({ outcome: 'denied', capability: 'nul  half \ufffd hidden ' })
})

test('a long list comes in pages, without gap or repetition', async () => {
  const many = Array.from({ length: 450 }, (_, n) => ({ name: `c${n}`, inputSchema: { type: 'object' }, digest: '' }))
  const { store, demo } = gateway
  const { capabilityPermissions } = await import('../store/schema/index.ts')
  await store.system(async (tx) => {
    await tx.update(instances).set({ capabilities: many })
    const rows = many.map(({ name }) => ({ accountId: 'account_1', toolbeltItemId: demo.itemId, capability: name }))
    await tx.insert(capabilityPermissions).values(rows)
  })
  const names: string[] = []
  let cursor: string | undefined
  await expect
    .poll(async () => ((await post(gateway, rpc('tools/list'))).body.result['tools'] as unknown[]).length)
    .toBe(200)
  do {
    const { result } = (await post(gateway, rpc('tools/list', cursor ? { cursor } : {}))).body
    names.push(...(result['tools'] as { name: string }[]).map(({ name }) => name))
    cursor = result['nextCursor'] as string | undefined
  } while (cursor)
  expect(names).toEqual(many.map(({ name }) => `demo__${name}`))
})
