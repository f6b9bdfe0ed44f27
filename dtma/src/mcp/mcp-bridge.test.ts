import { getEventListeners } from 'node:events'
import type { PassThrough } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { CALLS_AT_ONCE } from '../contract/mcp.ts'
import { asWeb } from '../http/web.testing.ts'
import { type Behaviour, echoTool, type FakeServer, fakeServer, targetOf } from './fake-server.testing.ts'
import { createMcpEndpoint } from './mcp-endpoint.ts'
import { createMcpBridge } from './tool-sessions.ts'

const soon = () => AbortSignal.timeout(2_000)

async function opened(behaviour: Behaviour = {}) {
  const bridge = createMcpBridge({ version: '0', random: Math.random })
  const server = fakeServer(behaviour)
  const info = await bridge.open(targetOf(server), soon())
  const mcp = createMcpEndpoint(bridge)
  const endpoint = (name: string, request: Request) => asWeb((asked) => mcp(name, asked))(request)
  const post = (message: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    endpoint(
      'tool',
      new Request('http://dtma/mcp', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
        ...(signal ? { signal } : {}),
      }),
    )
  return { bridge, server, info, endpoint, post }
}

const call = (text: string, id: number | string = 1) => ({
  id,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text } },
})

test('shakes hands once and knows what the server offers', async () => {
  const { info, server } = await opened()
  expect(info).toMatchObject({
    protocolVersion: '2025-11-25',
    server: { name: 'fake', version: '1.0.0' },
    capabilities: [{ name: 'echo' }],
  })
  expect(server.heard.map(({ method }) => method)).toEqual([
    'server/discover',
    'initialize',
    'notifications/initialized',
    'tools/list',
  ])
})

test('a server that is known to be of an earlier revision is not asked for the modern one again', async () => {
  const bridge = createMcpBridge({ version: '0', random: Math.random })
  const server = fakeServer()
  await bridge.open({ ...targetOf(server), revision: '2025-11-25' }, soon())
  expect(server.heard.map(({ method }) => method)).toEqual(['initialize', 'notifications/initialized', 'tools/list'])
})

test('answers initialize from what it knows, in the version of the client', async () => {
  const { post, server } = await opened()
  const before = server.heard.length
  const answer = (await (
    await post({ id: 'a', method: 'initialize', params: { protocolVersion: '2025-03-26' } })
  ).json()) as object
  expect(answer).toMatchObject({ id: 'a', result: { protocolVersion: '2025-03-26', serverInfo: { name: 'fake' } } })
  expect(server.heard).toHaveLength(before)
})

test('callers with the same id get their own answers', async () => {
  const { post } = await opened()
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, n) => (await post(call(`text ${n}`, 7))).json()),
  )
  expect(answers).toEqual(
    Array.from({ length: 30 }, (_, n) => ({
      jsonrpc: '2.0',
      id: 7,
      result: { content: [{ type: 'text', text: `text ${n}` }] },
    })),
  )
})

test('progress reaches its caller, under the name that the caller gave it', async () => {
  const { post } = await opened({
    onCall({ id, params }, server) {
      const { progressToken: token } = params!['_meta'] as { progressToken: unknown }
      server.say({ method: 'notifications/progress', params: { progressToken: token, progress: 1, total: 2 } })
      server.say({ id, result: { content: [] } })
    },
  })
  const answer = await post({ id: 1, method: 'tools/call', params: { name: 'echo', _meta: { progressToken: 'mine' } } })
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  const events = (await answer.text())
    .split('\n\n')
    .filter(Boolean)
    .map((event) => JSON.parse(event.split('data: ')[1]!) as object)
  expect(events).toEqual([
    { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'mine', progress: 1, total: 2 } },
    { jsonrpc: '2.0', id: 1, result: { content: [] } },
  ])
})

test('tells the server when a caller goes away', async () => {
  const { post, server } = await opened({ onCall: () => {} })
  const gone = new AbortController()
  const waiting = post(call('never'), {}, gone.signal)
  await vi.waitFor(() => expect(server.heard.at(-1)?.method).toBe('tools/call'))
  gone.abort()
  await expect(waiting).rejects.toThrow()
  await vi.waitFor(() =>
    expect(server.heard.at(-1)).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: server.heard.at(-2)?.id },
    }),
  )
})

test('gives up at the deadline of the caller', async () => {
  const { post } = await opened({ onCall: () => {} })
  await expect(post(call('never'), { 'x-deadline-ms': '30' })).rejects.toMatchObject({ code: 'tool-timeout' })
})

test('a server that exits fails the calls in flight at once, and says that it is gone', async () => {
  const { bridge, post, server } = await opened({ onCall: () => {} })
  const news: unknown[] = []
  bridge.onChange((name, info) => news.push([name, info]))
  const waiting = post(call('x'))
  await vi.waitFor(() => expect(server.heard.at(-1)?.method).toBe('tools/call'))
  server.exit()
  await expect(waiting).rejects.toMatchObject({ code: 'tool-lost', kind: { retryable: false } })
  expect(news).toEqual([['tool', undefined]])
  await expect(post(call('x'))).rejects.toMatchObject({ code: 'tool-not-running' }) // this one was not sent
})

test('M12 a tool that is stopped in the middle of a call may have done it; one that was stopped before has not', async () => {
  const { bridge, post, server } = await opened({ onCall: () => {} })
  const session = bridge.sessionOf('tool')
  const waiting = post(call('x'))
  await vi.waitFor(() => expect(server.heard.at(-1)?.method).toBe('tools/call'))
  bridge.close('tool')
  await expect(waiting).rejects.toMatchObject({ code: 'tool-lost' })
  const late = session.request({ method: 'tools/call', signal: new AbortController().signal })
  await expect(late).rejects.toMatchObject({ code: 'tool-not-running' })
})

test('reports what a server offers after it changed', async () => {
  let tools = [echoTool]
  const { bridge, info, server } = await opened({ tools: () => tools })
  const heard = vi.fn()
  bridge.onChange(heard)
  tools = [{ ...echoTool, description: 'Echoes, and tells somebody' }]
  server.say({ method: 'notifications/tools/list_changed' })
  await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce())
  expect(heard.mock.calls[0]?.[1].digest).not.toBe(info.digest)
})

test.each<[string, Behaviour]>([
  [
    'answers with ids that nobody asked for',
    {
      onCall: ({ id }, server) =>
        [{ id: 99 }, { id: 'x' }, { id }].map(({ id: any }) => server.say({ id: any, result: { content: [] } })),
    },
  ],
  ['answers twice', { onCall: ({ id }, server) => [1, 2].map(() => server.say({ id, result: { content: [] } })) }],
  [
    'writes log lines among its messages',
    {
      onCall: ({ id }, server) => [
        server.write('listening on 3000\n{"jsonrpc":"2.0"\n\ufeff{}\n[]\n'),
        server.say({ id, result: { content: [] } }),
      ],
    },
  ],
  [
    'writes a line without end before it answers',
    {
      onCall: ({ id }, server) => [
        server.write(Buffer.alloc(9 << 20, 'x')),
        server.write('\n'),
        server.say({ id, result: { content: [] } }),
      ],
    },
  ],
  [
    'asks for what we do not offer',
    {
      onCall: ({ id }, server) => [
        server.say({ id: 5, method: 'sampling/createMessage', params: {} }),
        server.say({ id: 5, method: 'roots/list' }),
        server.say({ id, result: { content: [] } }),
      ],
    },
  ],
  [
    'sends progress for strangers',
    {
      onCall: ({ id }, server) => [
        server.say({ method: 'notifications/progress', params: { progressToken: 'other' } }),
        server.say({ id, result: { content: [] } }),
      ],
    },
  ],
])('a server that %s harms nobody', async (_, behaviour) => {
  const { post } = await opened(behaviour)
  expect(await (await post(call('x'))).json()).toEqual({ jsonrpc: '2.0', id: 1, result: { content: [] } })
  expect(await (await post(call('again', 2))).json()).toMatchObject({ id: 2, result: { content: [] } })
})

test.each<[string, Behaviour['onInitialize'], string]>([
  ['does not answer', () => {}, 'tool-timeout'],
  ['answers nonsense', ({ id }, server) => server.say({ id, result: { hello: 1 } }), 'tool-protocol-error'],
  ['refuses', ({ id }, server) => server.say({ id, error: { code: 1, message: 'no' } }), 'tool-protocol-error'],
  [
    'speaks a version of its own',
    ({ id }, server) =>
      server.say({
        id,
        result: { protocolVersion: '1999-01-01', capabilities: {}, serverInfo: { name: 'x', version: '1' } },
      }),
    'tool-protocol-error',
  ],
  ['exits', (_, server) => server.exit(), 'tool-lost'],
  ['prints without end', (_, server) => printEndlessly(server, 'y'), 'tool-protocol-error'],
])('a server that %s during the handshake is no tool', async (_, onInitialize, code) => {
  const bridge = createMcpBridge({ version: '0', random: Math.random })
  const limit = AbortSignal.timeout(code === 'tool-timeout' ? 200 : 20_000)
  await expect(bridge.open(targetOf(fakeServer({ onInitialize: onInitialize! })), limit)).rejects.toMatchObject({
    code,
  })
})

test('all calls of a control plane and 32 requests beside them wait for one tool, and no more', async () => {
  const { post, server } = await opened({ onCall: () => {} })
  const most = CALLS_AT_ONCE + 32
  const waiting = Array.from({ length: most }, () => post(call('x')).catch(() => {}))
  await vi.waitFor(() => expect(server.heard.filter(({ method }) => method === 'tools/call')).toHaveLength(most))
  await expect(post(call('one more'))).rejects.toMatchObject({ code: 'too-busy' })
  ;(server as FakeServer).exit()
  await Promise.all(waiting)
})

test('nothing of a call stays behind when it has ended', async () => {
  const { endpoint, bridge } = await opened({
    onCall: ({ id, params }, server) => params!['arguments'] && server.say({ id, result: { content: [] } }),
  })
  for (const params of [{ name: 'echo', arguments: {} }, { name: 'echo' }]) {
    const request = new Request('http://dtma/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-deadline-ms': '50' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      signal: new AbortController().signal,
    })
    await endpoint('tool', request).catch(() => {})
    expect(getEventListeners(request.signal, 'abort')).toEqual([])
  }
  const { signal } = new AbortController()
  const made = vi.spyOn(globalThis, 'setTimeout')
  const cleared = vi.spyOn(globalThis, 'clearTimeout')
  await bridge.call('tool', 'echo', {}, 54_321, signal)
  const ours = made.mock.results.filter((_, n) => made.mock.calls[n]?.[1] === 54_321).map(({ value }) => value)
  expect(ours).toHaveLength(1)
  expect(cleared).toHaveBeenCalledWith(ours[0])
  expect(getEventListeners(signal, 'abort')).toEqual([])
  vi.restoreAllMocks()
})

test('a server that asks without end and reads nothing does not fill our memory', async () => {
  const { server, post } = await opened({ onCall: () => {} })
  server.channel.stdin.cork() // from here on nothing is read
  const before = server.channel.stdin.writableLength
  for (let n = 0; n < 300_000; n += 1) server.write(`{"jsonrpc":"2.0","id":${n},"method":"ping"}\n`)
  await vi.waitFor(() => expect(server.channel.stdout.readableLength).toBe(0), 50_000)
  expect(server.channel.stdin.writableLength - before).toBeLessThan(9 << 20)
  await expect(post(call('x'))).rejects.toMatchObject({ code: 'too-busy' })
})

test('a server that logs among its messages for as long as it lives is heard', async () => {
  const { post, server } = await opened()
  for (const id of [1, 2, 3]) {
    server.write('a line of log\n'.repeat(90_000))
    expect(await (await post(call('x', id))).json()).toMatchObject({ id, result: {} })
  }
})

test('a server that tells its progress without a rest before a large result is heard to the end', async () => {
  const { bridge } = await opened({
    onCall({ id, params }, server) {
      const { progressToken } = params!['_meta'] as { progressToken: unknown }
      for (let progress = 0; progress < 20_000; progress += 1)
        server.say({ method: 'notifications/progress', params: { progressToken, progress } })
      server.say({ id, result: { content: [{ type: 'text', text: 'x'.repeat(4 << 20) }] } })
    },
  })
  const heard: unknown[] = []
  const answer = await bridge.sessionOf('tool').request({
    method: 'tools/call',
    params: { name: 'echo', _meta: { progressToken: 'mine' } },
    signal: AbortSignal.timeout(20_000),
    onNotification: ({ params }) => heard.push(params?.['progress']),
  })
  expect(heard).toEqual(Array.from({ length: 20_000 }, (_, n) => n))
  const { result } = answer as { result: { content: [{ text: string }] } }
  expect(result.content[0].text).toHaveLength(4 << 20)
}, 30_000)

test('a server that prints without end what is no message loses its session, and it is said why', async () => {
  const { bridge, post, server } = await opened({ onCall: () => {} })
  const heard = vi.fn()
  bridge.onChange(heard)
  const waiting = post(call('x'))
  await vi.waitFor(() => expect(server.heard.at(-1)?.method).toBe('tools/call'))
  printEndlessly(server, 'y')
  await expect(waiting).rejects.toMatchObject({ code: 'tool-lost', cause: { code: 'tool-protocol-error' } })
  await expect(post(call('x'))).rejects.toMatchObject({ code: 'tool-not-running' })
  expect(server.heard.filter(({ method }) => method === 'tools/call')).toHaveLength(1)
  expect(heard.mock.calls).toEqual([['tool', undefined, expect.objectContaining({ code: 'tool-protocol-error' })]])
  expect(server.channel.stdout.destroyed).toBe(true)
})

test('beside a server that prints messages without end, the calls of another tool take about as long as without it', async () => {
  const { bridge } = await opened()
  const { signal } = new AbortController()
  async function callsInASecond(): Promise<number> {
    const end = performance.now() + 1_000
    let calls = 0
    for (; performance.now() < end; calls += 1) await bridge.call('tool', 'echo', { text: 'x' }, 10_000, signal)
    return calls
  }
  const endless = fakeServer()
  await bridge.open(targetOf(endless, 'endless'), soon())
  const alone = await callsInASecond()
  printEndlessly(endless, '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"y"}}')
  expect(await callsInASecond()).toBeGreaterThan(alone / 10)
  await bridge.check('endless', AbortSignal.timeout(10_000))
  bridge.close('endless')
}, 30_000)

/** As much in each turn as is read of one connection in it, for as long as it is read. */
function printEndlessly({ channel, write }: FakeServer, line: string): void {
  const stdout = channel.stdout as PassThrough
  const lines = Buffer.from(`${line}\n`.repeat((64 << 10) / line.length))
  const print = () => {
    for (let n = 0; n < 32 && !stdout.destroyed && !stdout.writableNeedDrain; n += 1) write(lines)
    if (stdout.writableNeedDrain) stdout.once('drain', print)
    else if (!stdout.destroyed) setImmediate(print)
  }
  print()
}

test('a message that is too large is refused before it is read', async () => {
  const { endpoint } = await opened()
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1 << 20
      controller.enqueue(new Uint8Array(1 << 20).fill(32))
    },
  })
  const headers = { 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: endless, duplex: 'half' }
  await expect(endpoint('tool', new Request('http://dtma/mcp', init as RequestInit))).rejects.toMatchObject({
    code: 'payload-too-large',
  })
  expect(sent).toBeLessThan(12 << 20)
})

test.each([
  ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]'],
  ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
  ['a byte order mark', '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}'],
  ['a broken object', '{"jsonrpc":"2.0","id":1,'],
  ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
  ['parameters that are a list', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
])('%s is refused', async (_, body) => {
  const { endpoint } = await opened()
  const bytes = new TextEncoder().encode(body) // a text body would lose its byte order mark on the way
  for (const length of [{}, { 'content-length': String(bytes.length) }]) {
    const headers = { 'content-type': 'application/json', ...length }
    const request = new Request('http://dtma/mcp', { method: 'POST', headers, body: bytes })
    await expect(endpoint('tool', request)).rejects.toMatchObject({ code: 'invalid-request' })
  }
})
