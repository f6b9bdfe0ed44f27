import { createInterface } from 'node:readline'
import { problem } from '../contract/problems.ts'
import type { McpInfo, ToolSessions, ToolTarget } from './tool-sessions.ts'

/**
 * The least that speaks MCP, for tests of the reconciler without the bridge: one question at a time, nothing kept.
 * @param onOpen Told of each handshake that is tried.
 */
export function plainSessions(onOpen: (target: ToolTarget) => void = () => undefined): ToolSessions {
  const asks = new Map<string, { ask: Ask; close: () => void }>()
  const listeners: Parameters<ToolSessions['onChange']>[0][] = []

  return {
    async open(target, signal) {
      asks.get(target.name)?.close()
      onOpen(target)
      const connection =
        target.transport === 'stdio' ? overStdio(target, () => lost(target.name)) : overHttp(target.url)
      asks.set(target.name, connection)
      const { ask } = connection
      const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '0' } }
      const hello = (await ask('initialize', params, signal)) as {
        protocolVersion: string
        serverInfo: McpInfo['server']
      }
      await ask('notifications/initialized', undefined, signal)
      const { tools } = (await ask('tools/list', {}, signal)) as { tools: { name: string }[] }
      const capabilities = tools.map(({ name }) => ({ name, inputSchema: {}, digest: name }))
      return {
        protocolVersion: hello.protocolVersion,
        server: hello.serverInfo,
        capabilities,
        digest: String(tools.length),
      }
    },
    close(name) {
      asks.get(name)?.close()
      asks.delete(name)
    },
    async check(name, signal) {
      const connection = asks.get(name)
      if (!connection) throw problem('tool-not-running', 'No session')
      await connection.ask('ping', {}, signal)
    },
    onChange: (listener) => void listeners.push(listener),
  }

  function lost(name: string): void {
    if (!asks.delete(name)) return
    for (const listener of listeners) listener(name, undefined)
  }
}

type Ask = (method: string, params: unknown, signal: AbortSignal) => Promise<unknown>

function overStdio({ channel }: Extract<ToolTarget, { transport: 'stdio' }>, onEnd: () => void) {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let id = 0
  createInterface({ input: channel.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return
    const message = JSON.parse(line) as { id?: number; method?: string; result?: unknown }
    if (message.id === undefined || message.method !== undefined) return
    waiting.get(message.id)?.resolve(message.result)
  })
  channel.stdout.on('end', () => {
    for (const { reject } of waiting.values()) reject(problem('tool-not-running', 'The server has exited'))
    onEnd()
  })
  const ask: Ask = async (method, params, signal) => {
    const isNotification = method.startsWith('notifications/')
    const question = { jsonrpc: '2.0', method, params, ...(isNotification ? {} : { id: ++id }) }
    channel.stdin.write(`${JSON.stringify(question)}\n`)
    if (isNotification) return undefined
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.set(id, { resolve, reject })
    signal.addEventListener('abort', () => reject(problem('tool-timeout', `${method} was not answered`)), {
      once: true,
    })
    return promise
  }
  return { ask, close: () => channel.close() }
}

function overHttp(url: string) {
  let session: string | null = null
  let id = 0
  const ask: Ask = async (method, params, signal) => {
    const isNotification = method.startsWith('notifications/')
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(session === null ? {} : { 'mcp-session-id': session }),
    }
    const body = JSON.stringify({ jsonrpc: '2.0', method, params, ...(isNotification ? {} : { id: ++id }) })
    const response = await fetchWhenUp(url, { method: 'POST', headers, body, signal })
    session ??= response.headers.get('mcp-session-id')
    const data = (await response.text()).split('\n').find((line) => line.startsWith('data: {'))
    return data === undefined ? undefined : (JSON.parse(data.slice(6)) as { result: unknown }).result
  }
  return { ask, close: () => undefined }
}

async function fetchWhenUp(url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
  for (;;) {
    init.signal.throwIfAborted()
    const response = await fetch(url, init).catch(() => undefined)
    if (response) return response
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
