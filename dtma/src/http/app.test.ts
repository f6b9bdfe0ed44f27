import { expect, test } from 'vitest'
import { createClient } from '../contract/client.ts'
import { DtmaEvent } from '../contract/event.ts'
import { readEventStream } from '../contract/event-stream.ts'
import {
  callCapability,
  createTool,
  DTMA_OPERATIONS,
  deleteTool,
  followEvents,
  followToolLogs,
  followToolStats,
  getDiagnostics,
  getHealth,
  getTool,
  METRICS_PATH,
  mcpPathOf,
  putTool,
} from '../contract/operations.ts'
import { problem } from '../contract/problems.ts'
import type { LogLine, ToolStatus } from '../contract/tool.ts'
import { EngineError } from '../engine/engine-error.ts'
import { createLog } from '../log.ts'
import { WELL } from '../system/status.testing.ts'
import { createJournal } from '../tools/journal.ts'
import type { LogWish } from '../tools/tool-logs.ts'
import type { ToolRegistry } from '../tools/tool-registry.ts'
import { type AppDeps, createApp, routesForAnybody, routesForHolder } from './app.ts'
import { asWeb } from './web.testing.ts'

const KEY = 'k'.repeat(32)
const status = (name: string): ToolStatus => ({
  name,
  generation: 1,
  desired: 'running',
  state: 'running',
  since: '2026-01-01T00:00:00.000Z',
  restarts: 0,
})
const group = { id: 'desk', state: 'ready' as const, since: '2026-01-01T00:00:00.000Z', tools: [] }
const spec = { package: { type: 'npm', name: 'x', version: '1.0.0' }, transport: { type: 'stdio' } } as const

function api(more: Partial<AppDeps> = {}) {
  const told: unknown[] = []
  const tell = <T>(what: unknown, answer: T): T => {
    told.push(what)
    return answer
  }
  const registry: ToolRegistry = {
    list: () => [status('mail')],
    get: (name) => {
      if (name !== 'mail') throw problem('tool-not-found', `No tool is named ${name}`)
      return status(name)
    },
    rested: async (name, ms) => tell(['rested', name, ms], status(name)),
    info: () => ({ protocolVersion: '1', server: { name: 's', version: '1' }, capabilities: [], digest: 'd' }),
    create: async (name, request) => tell(['create', name, request], status(name)),
    put: async (name, request) => tell(['put', name, request], status(name)),
    delete: async (name) => tell(['delete', name], undefined),
    start: async (name) => status(name),
    stop: async (name) => status(name),
    restart: async (name) => status(name),
    holdSecrets: async (name, values) => tell(['secrets', name, values], status(name)),
    withdrawSecrets: async (name) => tell(['withdraw', name], status(name)),
  }
  const deps: AppDeps = {
    apiKey: () => KEY,
    version: '1.2.3',
    registry: () => registry,
    groups: () => ({
      list: () => [group],
      get: () => group,
      create: async (request) => tell(['group', request], group),
      delete: async (id) => tell(['no group', id], undefined),
    }),
    status: () => {
      throw new Error('not asked for here')
    },
    toolLogs: async function* () {},
    toolStats: async function* () {},
    journal: createJournal('r', () => new Date(0)),
    diagnostics: async () => [],
    calls: { call: async (...args) => tell(args.slice(0, 4), { content: [] }) },
    mcp: async (name, request) => ({ status: 200, headers: {}, body: `${name} ${request.method}` }),
    log: createLog({ level: 'error', write: (line) => told.push(line), date: () => new Date() }),
    rotateKeys: (token) => tell(['rotate', token], undefined),
    setRoad: async ({ road }) => ({ road, host: '0.0.0.0', port: 30_000, publicKey: 'x' }),
    redeploy: async (attempt, release) =>
      tell(['redeploy', attempt, release], {
        attempt,
        version: '2.0.0',
        from: '1.2.3',
        phase: 'loading',
        since: '2026-01-01T00:00:00.000Z',
      }),
    restart: () => undefined,
    ...more,
  }
  const answer = asWeb(createApp(deps))
  const fetch = (url: string, init?: RequestInit) => answer(new Request(url, init))
  const app = { request: (path: string, init?: RequestInit) => fetch(`http://dtma${path}`, init) }
  return { app, deps, told, client: createClient({ baseUrl: 'http://dtma', token: KEY, fetch }) }
}
const authorization = `Bearer ${KEY}`

test('health answers anybody and says whether keys are known', async () => {
  expect(await api().client.call(getHealth, {})).toEqual({ status: 'ok', version: '1.2.3' })
  expect(await api({ apiKey: () => undefined }).client.call(getHealth, {})).toMatchObject({ status: 'unconfigured' })
})

test.each(DTMA_OPERATIONS.filter(({ auth }) => auth !== 'none').map((op) => [op.id, op] as const))(
  '%s is closed without the key, with a wrong one, and while no key is known',
  async (_, op) => {
    const path = op.path.replace(':name', 'mail')
    const codeOf = async (app: ReturnType<typeof api>['app'], headers: Record<string, string>) =>
      ((await (await app.request(path, { method: op.method, headers })).json()) as { code: string }).code
    const { app } = api()
    expect(await codeOf(app, {})).toBe('unauthenticated')
    expect(await codeOf(app, { authorization: `Bearer ${KEY}x` })).toBe('unauthenticated')
    expect(await codeOf(app, { authorization: KEY })).toBe('unauthenticated')
    expect(await codeOf(api({ apiKey: () => undefined }).app, { authorization })).toBe('unconfigured')
  },
)

test('every operation of the contract has a route', async () => {
  const { deps } = api()
  const routes = [...routesForAnybody(deps).list(), ...routesForHolder(deps).list()]
  for (const { method, path } of DTMA_OPERATIONS) expect(routes).toContain(`${method} ${path}`)
})

test('an unknown route is a problem document, for the holder of the key', async () => {
  const response = await api().app.request('/exec', { headers: { authorization } })
  expect(response.status).toBe(404)
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  expect(await response.json()).toMatchObject({ code: 'not-found', detail: 'GET /exec is no route of DTMA' })
})

test('what is wrong in a body is named, and what is right arrives with its defaults', async () => {
  const { client, told } = api()
  const wrong = client.call(putTool, {
    params: { name: 'mail' },
    body: { generation: 0, spec: { ...spec, privileged: true } } as never,
  })
  await expect(wrong).rejects.toMatchObject({ code: 'invalid-request' })
  await expect(wrong).rejects.toThrow(/generation[\s\S]*|privileged/)
  await client.call(createTool, { body: { name: 'mail', generation: 1, spec } })
  await client.call(deleteTool, { params: { name: 'mail' } })
  expect(told).toMatchObject([
    ['create', 'mail', { desired: 'running', spec: { egress: 'none' } }],
    ['delete', 'mail'],
  ])
})

test('a body that is too large is refused, also when its length is a secret', async () => {
  const { app } = api()
  const put = (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
    app.request('/tools/mail', {
      method: 'PUT',
      headers: { authorization, ...headers },
      body,
      duplex: 'half',
    } as RequestInit)
  const big = new Uint8Array(1024 * 1024 + 1)
  expect((await put(big, { 'content-length': String(big.length) })).status).toBe(413)
  expect((await put(new Blob([big]).stream())).status).toBe(413)
})

test('a call carries its arguments and its deadline; a tool that is not there is 404', async () => {
  const { client, told } = api()
  await client.call(callCapability, { params: { name: 'mail' }, body: { capability: 'echo', arguments: { a: 1 } } })
  expect(told).toEqual([['mail', 'echo', { a: 1 }, 60_000]])
  await expect(client.call(getTool, { params: { name: 'other' } })).rejects.toMatchObject({ code: 'tool-not-found' })
})

test('who reads a tool may wait until it is at rest, but not for long', async () => {
  const { client, told } = api()
  await client.call(getTool, { params: { name: 'mail' } })
  expect(told).toEqual([])
  await client.call(getTool, { params: { name: 'mail' }, query: { waitMs: '500' } })
  expect(told).toEqual([['rested', 'mail', 500]])
  const tooLong = client.call(getTool, { params: { name: 'mail' }, query: { waitMs: '10001' } })
  await expect(tooLong).rejects.toMatchObject({ code: 'invalid-request' })
})

test('the MCP bridge gets the request as it is, for tools that exist', async () => {
  const { app } = api()
  const answer = await app.request(mcpPathOf('mail'), { method: 'POST', headers: { authorization }, body: '{}' })
  expect(await answer.text()).toBe('mail POST')
  expect((await app.request(mcpPathOf('other'), { headers: { authorization } })).status).toBe(404)
  expect((await app.request(mcpPathOf('..'), { headers: { authorization } })).status).toBe(404)
})

test('logs stream as events whose id is where to go on', async () => {
  const wishes: LogWish[] = []
  async function* toolLogs(_: string, wish: LogWish): AsyncGenerator<LogLine> {
    wishes.push(wish)
    yield { at: '2026-01-01T00:00:01.000000000Z', stream: 'stderr', line: 'hello' }
  }
  const { app, client } = api({ toolLogs })
  const response = await client.open(followToolLogs, { params: { name: 'mail' }, query: { follow: 'true', tail: 5 } })
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  expect(await response.text()).toContain(
    'data: {"at":"2026-01-01T00:00:01.000000000Z","stream":"stderr","line":"hello"}\nid: 2026-01-01T00:00:01.000000000Z',
  )
  const headers = { authorization, 'last-event-id': '2026-01-01T00:00:01.000000000Z' }
  await (await app.request('/tools/mail/logs?since=2025-01-01T00:00:00Z', { headers })).text()
  expect(wishes).toEqual([
    { follow: true, tail: 5, since: undefined },
    { follow: false, tail: 200, since: headers['last-event-id'] },
  ])
  expect((await app.request('/tools/mail/logs?since=yesterday', { headers: { authorization } })).status).toBe(400)
  expect((await app.request('/tools/other/logs', { headers })).status).toBe(404)
})

test('events go on where a follower broke off, and end with it', async () => {
  const journal = createJournal('r', () => new Date(0))
  const { client } = api({ journal })
  journal.record({ kind: 'tool', tool: 'mail', state: 'building' })
  journal.record({ kind: 'tool', tool: 'mail', state: 'running' })
  const response = await client.open(followEvents, {}, { headers: { 'last-event-id': 'r.0' } })
  const events = readEventStream(response, DtmaEvent)
  expect((await events.next()).value).toEqual({
    id: 'r.1',
    data: { at: '1970-01-01T00:00:00.000Z', kind: 'tool', tool: 'mail', state: 'running' },
  })
  journal.record({ kind: 'docker', state: 'down' })
  expect((await events.next()).value).toMatchObject({ id: 'r.2', data: { kind: 'docker' } })
  await events.return(undefined)
})

test('metrics are text for Prometheus, and need the key as everything does', async () => {
  const { app } = api({ status: () => WELL })
  expect((await app.request(METRICS_PATH)).status).toBe(401)
  const response = await app.request(METRICS_PATH, { headers: { authorization } })
  expect(response.headers.get('content-type')).toContain('version=0.0.4')
  expect(await response.text()).toContain('dtma_tool_up{tool="mail"} 1')
})

test('diagnostics are answered as they are, and stats of a tool that is not there are 404', async () => {
  const check = { id: 'docker', ok: false, finding: 'Docker is down', fix: 'Start it' } as const
  const { client } = api({ diagnostics: async () => [check] })
  expect(await client.call(getDiagnostics, {})).toEqual({ checks: [check] })
  await expect(client.open(followToolStats, { params: { name: 'other' } })).rejects.toMatchObject({
    code: 'tool-not-found',
  })
})

test('a log is read no faster than its reader reads', async () => {
  let made = 0
  async function* endless(): AsyncGenerator<LogLine> {
    for (;;) yield { at: `${made++}`, stream: 'stdout', line: 'x'.repeat(1_000) }
  }
  const { client } = api({ toolLogs: endless })
  const response = await client.open(followToolLogs, { params: { name: 'mail' }, query: {} })
  const reader = response.body!.getReader()
  await reader.read()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(made).toBeLessThan(50)
  await reader.cancel()
})

test('an unexpected failure is 500 with an id that is in the log, and nothing else of it', async () => {
  const { app, told } = api()
  const response = await app.request('/status', { headers: { authorization } })
  const document = (await response.json()) as { instance: string; detail: string }
  expect(response.status).toBe(500)
  expect(document.detail).not.toContain('not asked for here')
  expect(String(told[0])).toContain(document.instance)
})

test('a Docker that is away is 503, not our failure', async () => {
  const { app } = api({
    registry: () => {
      throw new EngineError('down', 'Docker is not running')
    },
  })
  const response = await app.request('/tools', { headers: { authorization } })
  expect(await response.json()).toMatchObject({ status: 503, code: 'engine-unavailable' })
})
