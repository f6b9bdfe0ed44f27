import { expect, test, vi } from 'vitest'
import { envelopeOf } from '../contract/mcp.ts'
import { asWeb } from '../http/web.testing.ts'
import { type Behaviour, fakeServer, targetOf } from './fake-server.testing.ts'
import { createHeldCalls } from './held-calls.ts'
import { createMcpEndpoint } from './mcp-endpoint.ts'
import { createMcpBridge } from './tool-sessions.ts'

// A server of an earlier revision asks its client in the midst of a call; whoever calls us speaks the modern one.

const question = { method: 'elicitation/create', params: { message: 'Who are you?', requestedSchema: {} } }

/** Asks who calls, and greets him; the answer to its question has the id of the call with an `ask` before it. */
const greeter = (): Behaviour => ({ onCall: ({ id }, server) => server.say({ id: `ask ${id}`, ...question }) })

async function opened(behaviour: Behaviour = greeter()) {
  const bridge = createMcpBridge({ version: '0', random: Math.random })
  const server = fakeServer(behaviour)
  await bridge.open(targetOf(server), AbortSignal.timeout(2_000))
  const mcp = createMcpEndpoint(bridge)
  const endpoint = (name: string, request: Request) => asWeb((asked) => mcp(name, asked))(request)
  const post = async (
    params: object,
    { capabilities = { elicitation: {} }, caller = 'agent', method = 'tools/call' } = {},
  ) => {
    const _meta = envelopeOf({ capabilities, logLevel: undefined })
    const answer = await endpoint(
      'tool',
      new Request('http://dtma/mcp', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'x-caller': caller,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
      }),
    )
    const text = await answer.text()
    return JSON.parse(text.split('data: ').at(-1)!) as {
      result: { resultType?: string; requestState: string; inputRequests: Record<string, unknown> }
      error: { code: number; data?: unknown }
    }
  }
  const heard = (id: string) => server.heard.find((message) => (message.id as unknown) === id)
  return { bridge, server, post, heard, endpoint }
}

const call = { name: 'greet', arguments: {} }
const alice = { action: 'accept', content: { name: 'Alice' } }

test('what it asks is the answer; called again with what it wanted, it goes on', async () => {
  const { server, post, heard } = await opened()
  const { result } = await post(call)
  expect(result).toMatchObject({ resultType: 'input_required', inputRequests: { 1: question } })

  const going = post({ ...call, requestState: result.requestState, inputResponses: { 1: alice } })
  const { id } = server.heard.find(({ method }) => method === 'tools/call')!
  await vi.waitFor(() => expect(heard(`ask ${id}`)).toMatchObject({ result: alice }))
  server.say({ id, result: { content: [{ type: 'text', text: 'Hello, Alice' }] } })
  expect((await going).result).toEqual({ content: [{ type: 'text', text: 'Hello, Alice' }] })
  expect(server.heard.filter(({ method }) => method === 'tools/call')).toHaveLength(1)
})

test('an answer that is missing, or none, is asked for again', async () => {
  const { post } = await opened()
  const first = await post(call)
  for (const inputResponses of [{}, { other: alice }, { 1: 7 }, null, 'x']) {
    const { result } = await post({ ...call, requestState: first.result.requestState, inputResponses })
    expect(result.inputRequests).toEqual({ 1: question })
    first.result = result
  }
})

test('a state that is not ours, was used, or belongs to a call that is over, is refused', async () => {
  const { post } = await opened()
  const { result } = await post(call)
  await post({ ...call, requestState: result.requestState })
  for (const requestState of [result.requestState, 'made up', ''])
    expect((await post({ ...call, requestState })).error).toMatchObject({ code: -32_602 })
})

test.each([
  ['nothing', {}],
  ['something else', { sampling: {} }],
])('a client that can be asked %s is not asked, and the server hears it', async (_, capabilities) => {
  const { server, post, heard } = await opened()
  const going = post(call, { capabilities: capabilities as never })
  await vi.waitFor(() => expect(server.heard.some(({ method }) => method === 'tools/call')).toBe(true))
  const { id } = server.heard.find(({ method }) => method === 'tools/call')!
  await vi.waitFor(() => expect(heard(`ask ${id}`)).toMatchObject({ error: { code: -32_601 } }))
  server.say({ id, result: { content: [] } })
  expect((await going).result).toEqual({ content: [] })
})

test('M18 when it is not certain for whom it asks, nobody is asked', async () => {
  const { server, post, heard } = await opened({ onCall: () => {} })
  const [one, two] = [post(call, { caller: 'one' }), post(call, { caller: 'two' })]
  await vi.waitFor(() => expect(server.heard.filter(({ method }) => method === 'tools/call')).toHaveLength(2))
  server.say({ id: 'whose?', ...question })
  await vi.waitFor(() => expect(heard('whose?')).toMatchObject({ error: { code: -32_601 } }))
  for (const { id, method } of [...server.heard])
    if (method === 'tools/call') server.say({ id, result: { content: [] } })
  expect([(await one).result, (await two).result]).toEqual([{ content: [] }, { content: [] }])
})

test('a call that its client left in the middle keeps nobody of the same caller from being asked', async () => {
  const { post } = await opened()
  expect((await post(call)).result.resultType).toBe('input_required')
  expect((await post(call)).result.resultType).toBe('input_required')
  // Another caller cannot be told apart from them.
  const other = post(call, { caller: 'another' })
  expect(await Promise.race([other, new Promise((resolve) => setTimeout(resolve, 200, 'not asked'))])).toBe('not asked')
})

test('a client that does not come back is given up, and the server told', async () => {
  const held = createHeldCalls({ heldMs: 20 })
  const gone = Promise.withResolvers<unknown>()
  const request = { method: 'tools/call', params: call, signal: new AbortController().signal }
  const answer = await held.run(
    request,
    { capabilities: { elicitation: {} }, logLevel: undefined },
    ({ signal, onRequest }) => {
      signal.addEventListener('abort', () => gone.resolve(signal.reason))
      void onRequest!({ jsonrpc: '2.0', id: 1, ...question })
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
  )
  expect(answer).toMatchObject({ result: { resultType: 'input_required' } })
  expect(await gone.promise).toMatchObject({ message: expect.stringContaining('nobody answered') })
})

test('a server that exits ends what waits for its client', async () => {
  const { server, post } = await opened()
  const { result } = await post(call)
  server.exit()
  await expect(post({ ...call, requestState: result.requestState })).rejects.toMatchObject({ code: 'tool-not-running' })
})
