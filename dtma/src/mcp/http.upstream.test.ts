import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import type { ToolTarget } from '../tools/tool-sessions.ts'
import {
  events,
  type FakeHttpServer,
  fakeHttpServer,
  type HttpBehaviour,
  json,
  targetAt,
} from './fake-http-server.testing.ts'
import { echoTool } from './fake-server.testing.ts'
import { createMcpBridge } from './tool-sessions.ts'

const servers: FakeHttpServer[] = []
const bridges: ReturnType<typeof createMcpBridge>[] = []
afterEach(async () => {
  for (const bridge of bridges.splice(0)) bridge.close('tool')
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

async function started(behaviour: HttpBehaviour = {}): Promise<FakeHttpServer> {
  const server = await fakeHttpServer(behaviour)
  servers.push(server)
  return server
}

function bridged() {
  const bridge = createMcpBridge({ version: '0', random: Math.random })
  bridges.push(bridge)
  return bridge
}

async function opened(behaviour: HttpBehaviour = {}) {
  const server = await started(behaviour)
  const bridge = bridged()
  const info = await bridge.open(server.target, AbortSignal.timeout(5_000))
  const call = (timeoutMs = 5_000) => bridge.call('tool', 'echo', {}, timeoutMs, new AbortController().signal)
  return { server, bridge, info, call }
}

test('shakes hands, and keeps the session and the version for every further request', async () => {
  const seen: unknown[] = []
  const { info, call } = await opened({
    onPost: (_, { headers }) => !seen.push([headers['mcp-session-id'], headers['mcp-protocol-version']]),
  })
  expect(info).toMatchObject({ server: { name: 'fake' }, capabilities: [{ name: 'echo' }] })
  expect(await call()).toEqual({ content: [] })
  expect(seen).toEqual([
    [undefined, '2026-07-28'], // asked whether it speaks the modern revision
    [undefined, undefined],
    ...Array(3).fill(['session-1', '2025-11-25']),
  ])
})

test('waits for a server that starts to listen after its container did', async () => {
  const free = await fakeHttpServer()
  await free.close()
  const bridge = bridged()
  const opening = bridge.open(targetAt(free.port), AbortSignal.timeout(20_000))
  await sleep(500)
  await started({ port: free.port })
  expect(await opening).toMatchObject({ server: { name: 'fake' } })
})

test('an answer may come as an event stream', async () => {
  const { call } = await opened({
    onCall({ id }, response) {
      events(
        response,
        { method: 'notifications/progress', params: { progressToken: 'x' } },
        { id, result: { content: [1] } },
      )
      response.end()
    },
  })
  expect(await call()).toEqual({ content: [1] })
})

test('a lost session is made anew once, however many calls find out, and all of them succeed', async () => {
  const { call, server } = await opened()
  server.forget()
  expect(await Promise.all(Array.from({ length: 20 }, () => call()))).toHaveLength(20)
  expect(server.heard.filter(({ method }) => method === 'initialize')).toHaveLength(2)
})

test('after a new handshake the capabilities are read again', async () => {
  let tools = [echoTool]
  const { bridge, call, server } = await opened({ tools: () => tools })
  const heard = vi.fn()
  bridge.onChange(heard)
  tools = [{ ...echoTool, name: 'other' }]
  server.forget()
  await call()
  await vi.waitFor(() =>
    expect(heard).toHaveBeenCalledWith(
      'tool',
      expect.objectContaining({ capabilities: [expect.objectContaining({ name: 'other' })] }),
    ),
  )
})

test('a server that does not want any session for long is given up, not asked for ever', async () => {
  let refuse = false
  const { call, server } = await opened({
    onCall: (_, response) => response.writeHead(404).end(),
    onPost: (message, _, response) => refuse && message.method === 'tools/call' && !!response.writeHead(404).end(),
  })
  refuse = true
  await expect(call()).rejects.toMatchObject({ code: 'tool-protocol-error' })
  expect(server.heard.filter(({ method }) => method === 'initialize')).toHaveLength(2)
})

test('hears on the standing stream that the capabilities changed', async () => {
  let tools = [echoTool]
  let change: (() => void) | undefined
  const { bridge } = await opened({
    tools: () => tools,
    onGet(_, response) {
      events(response)
      response.flushHeaders()
      change = () => events(response, { method: 'notifications/tools/list_changed' })
    },
  })
  const heard = vi.fn()
  bridge.onChange(heard)
  await vi.waitFor(() => expect(change).toBeDefined())
  tools = [{ ...echoTool, description: 'new' }]
  change!()
  await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce())
})

test.each<[string, HttpBehaviour['onCall'], string]>([
  ['refuses', (_, response) => response.writeHead(500).end('no'), 'tool-protocol-error'],
  [
    'answers nonsense',
    (_, response) => response.setHeader('content-type', 'application/json').end('{]'),
    'tool-protocol-error',
  ],
  ['answers nothing', (_, response) => response.writeHead(200).end(), 'tool-protocol-error'],
  ['answers another question', ({ id }, response) => json(response, { id: id! + 1 }, {}), 'tool-protocol-error'],
  [
    'ends its stream without an answer',
    (_, response) => [events(response, { method: 'notifications/message' }), response.end()],
    'tool-protocol-error',
  ],
  ['breaks the connection', (_, response) => response.destroy(), 'tool-lost'],
  ['does not answer', () => {}, 'tool-timeout'],
  [
    'answers without end',
    (_, response) => {
      response.setHeader('content-type', 'application/json')
      const more = () => response.destroyed || response.write('x'.repeat(1 << 20), () => setImmediate(more))
      more()
    },
    'tool-protocol-error',
  ],
  [
    'sends one event without end',
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: ')
      const more = () => response.destroyed || response.write('x'.repeat(1 << 20), () => setImmediate(more))
      more()
    },
    'tool-protocol-error',
  ],
])('a server that %s fails that call by name, and no other', async (_, onCall, code) => {
  let bad = true
  const { call } = await opened({
    onCall: (message, response) => (bad ? onCall!(message, response) : json(response, message, { content: ['well'] })),
  })
  // More often than calls may wait: what has failed must not be waited for any longer.
  for (let n = 0; n < (code === 'tool-timeout' || _.includes('without end') ? 2 : 100); n += 1)
    await expect(call(code === 'tool-timeout' ? 500 : 20_000)).rejects.toMatchObject({ code })
  bad = false
  expect(await call()).toEqual({ content: ['well'] })
})

test('a connection that rested for a while is not used again, and one that waits for its answer is left alone', async () => {
  const ports: (number | undefined)[] = []
  const { call } = await opened({
    onPost: ({ method }, { socket }) => method === 'tools/call' && !ports.push(socket.remotePort),
    onCall: async (message, response) => {
      if (ports.length === 3) await sleep(1_500)
      json(response, message, { content: [] })
    },
  })
  await call()
  await call()
  await sleep(1_500)
  await call()
  expect(ports[1]).toBe(ports[0])
  expect(ports[2]).not.toBe(ports[0])
})

test('a server that is gone fails a call by name: it was not sent', async () => {
  const { call, server } = await opened()
  await server.close()
  await sleep(100) // until it is known here, a call may still go into the connection that was
  await expect(call()).rejects.toMatchObject({ code: 'tool-not-running' })
})

test('M12 a call that a server had begun when its tool was stopped may have been done', async () => {
  const { bridge, call, server } = await opened({ onCall: () => {} })
  const waiting = call()
  waiting.catch(() => {})
  await vi.waitFor(() => expect(server.heard.at(-1)?.method).toBe('tools/call'))
  bridge.close('tool')
  await expect(waiting).rejects.toMatchObject({ code: 'tool-lost' })
})

test('a call that waits for its connection when its tool is stopped was not sent', async () => {
  const server = await started()
  const bridge = bridged()
  let dial = async () => connect(server.port, '127.0.0.1')
  await bridge.open({ ...server.target, connect: () => dial() } as ToolTarget, AbortSignal.timeout(5_000))
  const dialled = Promise.withResolvers<void>()
  dial = () => {
    dialled.resolve()
    return new Promise(() => {})
  }
  await sleep(1_500) // no connection is used again after so long
  const waiting = bridge.call('tool', 'echo', {}, 20_000, new AbortController().signal)
  waiting.catch(() => {})
  await dialled.promise
  bridge.close('tool')
  await expect(waiting).rejects.toMatchObject({ code: 'tool-not-running' })
})

test('a call that found its session gone, and the server too when it asked for another, was not made', async () => {
  let forgotten = false
  const { call, server } = await opened({
    onPost({ method }, { socket }) {
      if (method !== 'initialize' || !forgotten) return false
      socket.destroy()
      return true
    },
  })
  forgotten = true
  server.forget()
  await expect(call()).rejects.toMatchObject({ code: 'tool-not-running' })
})

test('a server that asks us without end gets few answers at a time', async () => {
  let asking = 0
  let most = 0
  const { call } = await opened({
    onPost(message, _, response) {
      if (message.method !== undefined || message.id === undefined) return false
      asking += 1
      most = Math.max(most, asking)
      setTimeout(() => {
        asking -= 1
        response.writeHead(202).end()
      }, 20)
      return true
    },
    onCall({ id }, response) {
      for (let n = 0; n < 2_000; n += 1) events(response, { id: n, method: 'ping' })
      events(response, { id, result: { content: [] } })
      response.end()
    },
  })
  expect(await call()).toEqual({ content: [] })
  await sleep(100)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(16)
})

test('what is no answer is not read, however long it is: of a standing stream that there is none of, a session that is gone, a notification', async () => {
  let ended = 0
  const endless = (response: ServerResponse, status: number) => {
    response.writeHead(status)
    const printing = setInterval(() => response.write('y'.repeat(10_000)), 5)
    response.once('close', () => {
      clearInterval(printing)
      ended += 1
    })
  }
  const { call } = await opened({
    onGet: (_, response) => endless(response, 405),
    onPost({ method }, { headers }, response) {
      const isGone = method === 'tools/call' && headers['mcp-session-id'] === 'session-1'
      const isNotification = method === 'notifications/initialized'
      if (isGone || isNotification) endless(response, isGone ? 404 : 202)
      return isGone || isNotification
    },
  })
  expect(await call()).toEqual({ content: [] })
  // With the standing stream and the notification of the second session; long before we give up to be understood.
  await vi.waitFor(() => expect(ended).toBe(5), 5_000)
})
