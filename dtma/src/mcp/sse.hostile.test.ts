import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { events, fakeHttpServer } from './fake-http-server.testing.ts'
import type { SseBehaviour } from './fake-sse-server.testing.ts'
import { answer, sseBridges, WELL } from './sse-bridge.testing.ts'

// What a server of the older transport can do wrong harms nobody but itself.

const { opened, opening, closing, closeAll } = sseBridges()
afterEach(closeAll)

const stream = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' })
const flood = (response: ServerResponse, text: string) => {
  const more = () => response.destroyed || response.write(text, () => setImmediate(more))
  more()
}

test.each<[string, (response: ServerResponse) => unknown, string]>([
  ['names no endpoint', (response) => events(response, { method: 'notifications/message' }), 'tool-protocol-error'],
  [
    'names another host',
    (response) => stream(response).write('event: endpoint\ndata: //127.0.0.2/\n\n'),
    'tool-protocol-error',
  ],
  ['ends before its endpoint', (response) => stream(response).end(), 'tool-protocol-error'],
  [
    'is none',
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('hello'),
    'tool-protocol-error',
  ],
  ['is refused', (response) => response.writeHead(503).end(), 'tool-protocol-error'],
  ['is one event without end', (response) => flood(stream(response), 'x'.repeat(1 << 20)), 'tool-protocol-error'],
  ['is comments without end', (response) => flood(stream(response), ': x\n\n'.repeat(100_000)), 'tool-protocol-error'],
  ['says nothing', (response) => stream(response).flushHeaders(), 'tool-timeout'],
  ['does not begin', () => {}, 'tool-timeout'],
])('a stream that %s is no session, and is let go', async (_, begin, code) => {
  const { server, failed } = await opening(
    {
      onStream(response) {
        begin(response)
        return true
      },
    },
    code === 'tool-timeout' ? 500 : 10_000,
  )
  await expect(failed).rejects.toMatchObject({ code })
  expect(server.heard).toEqual([])
  await vi.waitFor(() => expect(server.streams).toEqual([]))
})

test('nobody else is sent anything, whatever endpoint a server names', async () => {
  const other = await fakeHttpServer()
  closing(other.close)
  const { failed } = await opening({
    onStream(response) {
      stream(response).write(`event: endpoint\ndata: http://127.0.0.1:${other.port}/mcp\n\n`)
      return true
    },
  })
  await expect(failed).rejects.toThrow(`at http://127.0.0.1:${other.port}, which is not itself`)
  expect(other.heard).toEqual([])
})

test.each<[string, SseBehaviour, string]>([
  ['answers nonsense', { onCall: (_, server) => server.streams[0]!.write('data: {]\n\n') }, 'tool-timeout'],
  ['answers another question', { onCall: ({ id }, server) => server.say({ id: id! + 1, result: {} }) }, 'tool-timeout'],
  [
    'answers under the name of another event',
    {
      onCall: ({ id }, { streams: [open] }) =>
        open!.write(`event: other\ndata: {"jsonrpc":"2.0","id":${id},"result":{}}\n\n`),
    },
    'tool-timeout',
  ],
  [
    'answers two hundred thousand times',
    {
      onCall: (_, { streams: [open] }) => open!.write('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'.repeat(200_000)),
    },
    'tool-timeout',
  ],
  ['ends its stream', { onCall: (_, server) => server.hangUp() }, 'tool-lost'],
  ['breaks its stream', { onCall: (_, server) => server.streams[0]!.destroy() }, 'tool-lost'],
  [
    'sends one event without end',
    { onCall: (_, { streams: [open] }) => flood(open!, 'x'.repeat(1 << 20)) },
    'tool-lost',
  ],
  [
    'breaks the connection of a post',
    { onPost: ({ method }, response) => method === 'tools/call' && !!response.destroy() },
    'tool-lost',
  ],
  [
    'refuses a post',
    { onPost: ({ method }, response) => method === 'tools/call' && !!response.writeHead(500).end() },
    'tool-protocol-error',
  ],
  [
    'accepts a post without end',
    {
      onPost: ({ method }, response) =>
        method === 'tools/call' && flood(response.writeHead(202), 'x'.repeat(1 << 20)) !== null,
    },
    'tool-timeout',
  ],
  ['never accepts a post', { onPost: ({ method }) => method === 'tools/call' }, 'tool-timeout'],
])('a server that %s fails that call by name, sends it once, and the next one is well', async (_, behaviour, code) => {
  let bad = true
  const { onCall, onPost } = behaviour
  const { call, calls } = await opened({
    ...(onCall ? { onCall: (message, server) => (bad ? onCall(message, server) : answer(message, server)) } : {}),
    ...(onPost ? { onPost: (...given) => bad && onPost(...given) } : {}),
  })
  for (let n = 1; n <= 2; n += 1) {
    await expect(call(code === 'tool-timeout' ? 500 : 10_000)).rejects.toMatchObject({ code })
    expect(calls()).toBe(n)
  }
  bad = false
  expect(await call()).toEqual(WELL)
})

test('whether a call was made before its server sent what is too large, nobody knows, and it is said why', async () => {
  const { call } = await opened({ onCall: (_, { streams: [open] }) => flood(open!, 'x'.repeat(1 << 20)) })
  await expect(call()).rejects.toMatchObject({ code: 'tool-lost', cause: { code: 'tool-protocol-error' } })
})

test('a server that answers the handshake with what is too large is no tool, by that name', async () => {
  const { failed } = await opening({
    onPost: ({ method }, _, { streams: [open] }) =>
      method === 'initialize' && flood(open!, 'x'.repeat(1 << 20)) !== null,
  })
  await expect(failed).rejects.toMatchObject({ code: 'tool-protocol-error' })
})

test('a server that asks us without end gets few answers at a time', async () => {
  let [asking, most] = [0, 0]
  const { call } = await opened({
    onPost({ method, id }, response) {
      if (method !== undefined || id === undefined) return false
      asking += 1
      most = Math.max(most, asking)
      setTimeout(() => {
        asking -= 1
        response.writeHead(202).end()
      }, 20)
      return true
    },
    onCall(message, server) {
      for (let n = 0; n < 2_000; n += 1) server.say({ id: n, method: 'ping' })
      answer(message, server)
    },
  })
  expect(await call()).toEqual(WELL)
  await sleep(100)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(16)
})
