import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestGateway, post, rpc, type TestGateway } from './gateway.testing.ts'

// The revision 2026-07-28: no handshake; headers repeat what the body says.

let gateway: TestGateway
beforeAll(async () => {
  gateway = await openTestGateway()
})
afterAll(() => gateway.close())

const KEY = 'io.modelcontextprotocol/'
const META = {
  [`${KEY}protocolVersion`]: '2026-07-28',
  [`${KEY}clientInfo`]: { name: 'test', version: '1' },
  [`${KEY}clientCapabilities`]: {},
}
const HEADERS = { 'mcp-protocol-version': '2026-07-28', accept: 'application/json, text/event-stream' }

const request = (method: string, params: object = {}, meta: object = META) => rpc(method, { ...params, _meta: meta })
const echo = request('tools/call', { name: 'demo__echo', arguments: { text: 'hello' } })
const headersOf = (method: string, name?: string) => ({
  ...HEADERS,
  'mcp-method': method,
  ...(name === undefined ? {} : { 'mcp-name': name }),
})

test('discover tells versions, capabilities and who we are', async () => {
  const answer = await post(gateway, request('server/discover'), headersOf('server/discover'))
  expect(answer.body.result).toMatchObject({
    resultType: 'complete',
    supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
    capabilities: { tools: {} },
    cacheScope: 'private',
    _meta: { [`${KEY}serverInfo`]: { name: 'agentopia-toolboxes', version: '1.2.3' } },
  })
  expect(answer.headers.get('mcp-session-id')).toBeNull()
})

test('a list says how long it may be believed, and that it is for this caller alone', async () => {
  const answer = await post(gateway, request('tools/list'), headersOf('tools/list'))
  expect(answer.body.result).toMatchObject({ resultType: 'complete', ttlMs: 5_000, cacheScope: 'private' })
})

test('a result says that it is complete, and keeps what the tool said', async () => {
  const answer = await post(gateway, echo, headersOf('tools/call', 'demo__echo'))
  expect(answer.body.result).toMatchObject({ resultType: 'complete', content: [{ type: 'text', text: 'hello' }] })
  expect(gateway.dtma.seen.at(-1)?.request.params).toEqual({
    name: 'echo',
    arguments: { text: 'hello' },
    _meta: { [`${KEY}protocolVersion`]: '2026-07-28', [`${KEY}clientCapabilities`]: {} },
  })
})

const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`

test('M05 a name may come encoded', async () => {
  expect((await post(gateway, echo, headersOf('tools/call', base64('demo__echo')))).status).toBe(200)
})

test.each<[string, Record<string, string>]>([
  ['no Mcp-Method', { 'mcp-method': '' }],
  ['another method', { 'mcp-method': 'tools/list' }],
  ['a method in other letters', { 'mcp-method': 'Tools/Call' }],
  ['no Mcp-Name', { 'mcp-name': '' }],
  ['another name', { 'mcp-name': 'demo__never_granted' }],
  ['another name, encoded', { 'mcp-name': base64('demo__never_granted') }],
  ['a name that is encoded wrongly', { 'mcp-name': '=?base64?!!!?=' }],
  ['two names', { 'mcp-name': 'demo__echo, demo__echo' }],
  ['another version', { 'mcp-protocol-version': '2025-11-25' }],
])('M05 %s: header mismatch, and nothing reaches a tool', async (_, change) => {
  const before = gateway.dtma.seen.length
  const headers = { ...headersOf('tools/call', 'demo__echo'), ...change }
  const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''))
  const { status, body } = await post(gateway, echo, sent)
  expect([status, body.error.code, body.id]).toEqual([400, -32_020, 1])
  expect(gateway.dtma.seen).toHaveLength(before)
})

test.each([
  ['prompts/get', { name: 'demo__greet' }, 'demo__other'],
  ['resources/read', { uri: 'agentopia:demo/file:///a' }, 'agentopia:demo/file:///b'],
])('M05 %s for another than its header names', async (method, params, named) => {
  const { status, body } = await post(gateway, request(method, params), headersOf(method, named))
  expect([status, body.error.code]).toEqual([400, -32_020])
})

test('M05 no version in the header: header mismatch', async () => {
  const { 'mcp-protocol-version': _, ...headers } = headersOf('tools/call', 'demo__echo')
  const { status, body } = await post(gateway, echo, headers)
  expect([status, body.error.code]).toEqual([400, -32_020])
})

test.each(['1900-01-01', '2025-11-25', '2099-01-01'])('M06 the version %s does not come this way', async (version) => {
  const meta = { ...META, [`${KEY}protocolVersion`]: version }
  const headers = { ...headersOf('tools/list'), 'mcp-protocol-version': version }
  const { status, body } = await post(gateway, request('tools/list', {}, meta), headers)
  expect([status, body.error.code, body.error.data]).toEqual([
    400,
    -32_022,
    { supported: expect.arrayContaining(['2026-07-28', '2025-11-25']), requested: version },
  ])
})

test.each<[string, object | undefined]>([
  ['no _meta', undefined],
  ['no version in _meta', { [`${KEY}clientCapabilities`]: {} }],
  ['no capabilities in _meta', { [`${KEY}protocolVersion`]: '2026-07-28' }],
])('%s: invalid params', async (_, meta) => {
  const { status, body } = await post(gateway, rpc('tools/list', meta ? { _meta: meta } : {}), headersOf('tools/list'))
  expect([status, body.error.code]).toEqual([400, -32_602])
})

test.each(['ping', 'initialize', 'resources/subscribe', 'logging/setLevel', 'no/such'])(
  '%s is not offered',
  async (method) => {
    const { status, body } = await post(gateway, request(method), headersOf(method))
    expect([status, body.error.code]).toEqual([404, -32_601])
  },
)

test('what a tool logs is passed on to who asks for it', async () => {
  const talk = (meta: object) =>
    fetch(gateway.url, {
      method: 'POST',
      headers: {
        ...headersOf('tools/call', 'demo__talks'),
        authorization: `Bearer ${gateway.secret}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(request('tools/call', { name: 'demo__talks', arguments: {} }, { ...META, ...meta })),
    }).then((answer) => answer.text())
  const [quiet, asked] = [await talk({}), await talk({ [`${KEY}logLevel`]: 'info' })]
  expect(quiet).toContain('notifications/progress')
  expect(quiet).not.toContain('notifications/message')
  expect(asked).toContain('notifications/message')
  for (const stream of [quiet, asked]) {
    expect(stream).not.toContain('list_changed')
    expect(stream).not.toContain('sampling')
  }
})
