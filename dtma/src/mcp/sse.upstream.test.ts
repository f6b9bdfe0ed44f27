import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import type { JsonRpcAnswer } from '../contract/json-rpc.ts'
import { fakeHttpServer } from './fake-http-server.testing.ts'
import { echoTool } from './fake-server.testing.ts'
import { ENDPOINT, type FakeSseServer, fakeSseServer, sseTargetAt } from './fake-sse-server.testing.ts'
import { answer, sseBridges, WELL } from './sse-bridge.testing.ts'

// Servers of the first revision of MCP, which know HTTP only as a stream and a place beside it.

const { started, bridged, opened, opening, closing, closeAll } = sseBridges()
afterEach(closeAll)

const handshakes = ({ heard }: FakeSseServer) => heard.filter(({ method }) => method === 'initialize').length

test('a server that refuses a POST is spoken to by the transport before: one stream, and a place for messages', async () => {
  const { server, info, call } = await opened()
  expect(info).toMatchObject({
    protocolVersion: '2024-11-05',
    server: { name: 'fake' },
    capabilities: [{ name: 'echo' }],
  })
  expect(await call()).toEqual(WELL)
  expect(server.asked).toEqual(['POST /sse', 'POST /sse', 'GET /sse', ...Array(4).fill(`POST ${ENDPOINT}1`)])
  expect(server.heard.map(({ method }) => method)).toEqual([
    'initialize',
    'notifications/initialized',
    'tools/list',
    'tools/call',
  ])
  expect(server.headers['mcp-protocol-version']).toBe('2024-11-05')
})

test.each([400, 404])('so is one that refuses with %s', async (refusal) => {
  const { call } = await opened({ refusal })
  expect(await call()).toEqual(WELL)
})

test.each([401, 403, 500])('one that refuses with %s is not asked for a stream', async (refusal) => {
  const { server, failed } = await opening({ refusal })
  await expect(failed).rejects.toThrow(`HTTP ${refusal} without an answer to initialize`)
  expect(server.asked).not.toContain('GET /sse')
})

test('a server that refuses initialize in words of MCP is believed', async () => {
  const server = await fakeHttpServer({
    onPost({ id }, _, response) {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_022, message: 'too old' } }))
      return true
    },
    onGet: () => expect.unreachable(),
  })
  closing(server.close)
  await expect(bridged().open(server.target, AbortSignal.timeout(5_000))).rejects.toThrow(/refused initialize: too old/)
})

test('a path where neither transport is served is named', async () => {
  const server = await started()
  const target = { ...server.target, url: `http://127.0.0.1:${server.port}/mcp` } as typeof server.target
  await expect(bridged().open(target, AbortSignal.timeout(5_000))).rejects.toMatchObject({
    code: 'tool-protocol-error',
    message: expect.stringMatching(/HTTP 404 without .* a GET with HTTP 404: it serves no MCP at \/mcp$/),
  })
})

test('waits for a server that starts to listen after its container did', async () => {
  const free = await fakeSseServer()
  await free.close()
  const waiting = bridged().open(sseTargetAt(free.port), AbortSignal.timeout(20_000))
  await sleep(300)
  await started({ port: free.port })
  expect(await waiting).toMatchObject({ server: { name: 'fake' } })
})

test('a server that may refuse what comes before it knows that the handshake is over hears that first', async () => {
  let ready = false
  const { call } = await opened({
    onPost({ method, id }, response, server) {
      if (method === 'notifications/initialized') {
        setTimeout(() => {
          ready = true
          response.writeHead(202).end()
        }, 200)
        return true
      }
      if (method !== 'tools/list' || ready) return false
      response.writeHead(202).end()
      server.say({ id, error: { code: -32_602, message: 'not initialized' } })
      return true
    },
  })
  expect(await call()).toEqual(WELL)
})

test('a server that asks under the id of our own request is answered, and so are we', async () => {
  const { server, call } = await opened({
    onCall(message, itself) {
      itself.say({ id: message.id, method: 'ping' })
      answer(message, itself)
      answer({ ...message }, itself)
    },
  })
  expect(await call()).toEqual(WELL)
  const asked = server.heard.find(({ method }) => method === 'tools/call')!
  await vi.waitFor(() => expect(server.heard).toContainEqual({ jsonrpc: '2.0', id: asked.id, result: {} }))
})

test('an answer is taken before its post is accepted', async () => {
  const { call } = await opened({
    onPost(message, response, server) {
      if (message.method !== 'tools/call') return false
      answer(message, server)
      setTimeout(() => response.writeHead(202).end(), 50)
      return true
    },
  })
  expect(await call()).toEqual(WELL)
  expect(await call()).toEqual(WELL)
})

test('a session that ended with its stream is made anew once, however many calls find out, and all of them succeed', async () => {
  let tools = [echoTool]
  const { server, bridge, call } = await opened({ tools: () => tools })
  const heard = vi.fn()
  bridge.onChange(heard)
  tools = [{ ...echoTool, name: 'other' }]
  server.hangUp()
  await sleep(50)
  expect(await Promise.all(Array.from({ length: 20 }, () => call()))).toHaveLength(20)
  expect(handshakes(server)).toBe(2)
  expect(server.streams).toHaveLength(1)
  await vi.waitFor(() => expect(heard.mock.lastCall?.[1]).toMatchObject({ capabilities: [{ name: 'other' }] }))
})

test('a stream that ended is opened again though nobody asks, and changes are heard on it', async () => {
  let tools = [echoTool]
  const { server, bridge } = await opened({ tools: () => tools })
  const heard = vi.fn()
  bridge.onChange(heard)
  server.hangUp()
  await vi.waitFor(() => expect(server.heard.filter(({ method }) => method === 'tools/list')).toHaveLength(2), 5_000)
  expect(heard).not.toHaveBeenCalled()
  tools = [{ ...echoTool, description: 'new' }]
  server.say({ method: 'notifications/tools/list_changed' })
  await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce())
})

test('a server that ends every stream is asked for another ever more seldom', async () => {
  let steady = true
  const { server } = await opened({
    tools() {
      if (!steady) setImmediate(() => server.hangUp())
      return [echoTool]
    },
  })
  steady = false
  server.hangUp()
  await sleep(4_500)
  expect(handshakes(server)).toBeGreaterThanOrEqual(2)
  expect(handshakes(server)).toBeLessThanOrEqual(3)
})

test('a server that is gone fails a call by name: it was not sent', async () => {
  const { call, server } = await opened()
  await server.close()
  await sleep(100)
  await expect(call()).rejects.toMatchObject({ code: 'tool-not-running' })
})

test('a call that a server had begun when its tool was stopped may have been done, and the stream is let go', async () => {
  const { bridge, call, calls, server } = await opened({ onCall: () => {} })
  const waiting = call()
  waiting.catch(() => {})
  await vi.waitFor(() => expect(calls()).toBe(1))
  bridge.close('tool')
  await expect(waiting).rejects.toMatchObject({ code: 'tool-lost' })
  await vi.waitFor(() => expect(server.streams).toEqual([]))
  await sleep(1_200)
  expect(handshakes(server)).toBe(1)
})

test('who gives a call up has the server told, and a late answer meets nobody', async () => {
  const { call, server, bridge } = await opened({ onCall: () => {} })
  const end = new AbortController()
  const given = call(5_000, end.signal)
  given.catch(() => {})
  const heard = (method: string) => server.heard.find((message) => message.method === method)
  await vi.waitFor(() => expect(heard('tools/call')).toBeDefined())
  end.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  const { id } = heard('tools/call')!
  await vi.waitFor(() => expect(heard('notifications/cancelled')?.params).toMatchObject({ requestId: id }))
  server.say({ id, result: {} })
  await bridge.check('tool', AbortSignal.timeout(1_000))
})

const PERSON = { capabilities: { elicitation: {} }, logLevel: 'info' } as const
const question = { method: 'elicitation/create', params: { message: 'Who are you?', requestedSchema: {} } }
const requested = (params: object, onNotification?: (said: unknown) => void) => ({
  method: 'tools/call',
  params: { name: 'echo', arguments: {}, ...params },
  signal: AbortSignal.timeout(5_000),
  ...(onNotification ? { onNotification } : {}),
})

test('progress and log messages reach the call that they belong to', async () => {
  const { bridge } = await opened({
    onCall(message, server) {
      const { progressToken } = message.params!['_meta'] as { progressToken: number }
      server.say({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
      server.say({ method: 'notifications/message', params: { level: 'info', data: 'half' } })
      answer(message, server)
    },
  })
  const said: unknown[] = []
  await bridge.sessionOf('tool').request(
    requested({ _meta: { progressToken: 'mine' } }, (one) => said.push(one)),
    PERSON,
  )
  expect(said).toMatchObject([{ params: { progressToken: 'mine', progress: 1 } }, { params: { data: 'half' } }])
})

test('what takes us long to read is followed by a rest of about as long', async () => {
  const { bridge } = await opened({
    onCall(message, server) {
      const log = { method: 'notifications/message', params: { level: 'info', data: 'x' } }
      server.say(...Array(10).fill(log))
      setImmediate(() => answer(message, server))
    },
  })
  let busyMs = 0
  const busy = () => {
    const begun = performance.now()
    while (performance.now() < begun + 30);
    busyMs += performance.now() - begun
  }
  const begun = performance.now()
  await bridge.sessionOf('tool').request(requested({}, busy), PERSON)
  expect(busyMs).toBeGreaterThanOrEqual(300)
  expect(performance.now() - begun - busyMs).toBeGreaterThan(150)
})

const askedIn = (answered: JsonRpcAnswer) => (answered as { result: { requestState: string } }).result.requestState
const alice = { action: 'accept', content: { name: 'Alice' } }

test('a server that asks in the midst of a call has its answer posted', async () => {
  const { bridge, server } = await opened({
    onCall: (_, itself) => itself.say({ id: 'ask', ...question }),
    onPost(message, response, itself) {
      if ((message.id as unknown) !== 'ask') return false
      response.writeHead(202).end()
      answer(itself.heard.find(({ method }) => method === 'tools/call')!, itself)
      return true
    },
  })
  const session = bridge.sessionOf('tool')
  const requestState = askedIn(await session.request(requested({}), PERSON))
  const ended = session.request(requested({ requestState, inputResponses: { 1: alice } }), PERSON)
  expect(await ended).toEqual({ result: WELL })
  expect(server.heard).toContainEqual({ jsonrpc: '2.0', id: 'ask', result: alice })
})

test('what was asked on a stream that ended is not answered on the next one', async () => {
  const { bridge, server } = await opened({ onCall: (_, itself) => itself.say({ id: 'ask', ...question }) })
  const session = bridge.sessionOf('tool')
  const requestState = askedIn(await session.request(requested({}), PERSON))
  server.hangUp()
  await vi.waitFor(() => expect(server.streams).toEqual([]))
  await bridge.check('tool', AbortSignal.timeout(1_000))
  const ended = session.request(requested({ requestState, inputResponses: { 1: alice } }), PERSON)
  await expect(ended).rejects.toMatchObject({ code: 'tool-lost' })
  await bridge.check('tool', AbortSignal.timeout(1_000))
  expect(server.heard.filter(({ id }) => (id as unknown) === 'ask')).toEqual([])
})
