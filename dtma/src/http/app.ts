import { Hono } from 'hono'
import type { Check, ToolStats } from '../contract/event.ts'
import {
  callCapability,
  createTool,
  deleteTool,
  followEvents,
  followToolLogs,
  followToolStats,
  getCapabilities,
  getDiagnostics,
  getDtmaLogs,
  getHealth,
  getStatus,
  getSystem,
  getTool,
  listTools,
  METRICS_PATH,
  putTool,
  putToolSecrets,
  restartDtma,
  restartTool,
  startTool,
  stopTool,
  withdrawToolSecrets,
} from '../contract/operations.ts'
import { problem } from '../contract/problems.ts'
import type { DtmaStatus } from '../contract/status.ts'
import { type LogLine, ToolName } from '../contract/tool.ts'
import type { Log } from '../log.ts'
import { PROMETHEUS_TEXT, prometheusOf } from '../system/prometheus.ts'
import type { Journal } from '../tools/journal.ts'
import { type LogWish, positionOf } from '../tools/tool-logs.ts'
import type { ToolRegistry } from '../tools/tool-registry.ts'
import type { McpEndpoint, ToolCalls } from '../tools/tool-sessions.ts'
import { admit } from './auth.ts'
import { mount, mountStream } from './mount.ts'
import { problemResponse } from './problem-response.ts'

export interface AppDeps {
  /** `undefined` until DTMA is told whom to trust. */
  readonly apiKey: () => string | undefined
  readonly version: string
  /** @throws {ProblemError} `state-not-writable` while the state directory cannot be opened. */
  readonly registry: () => ToolRegistry
  readonly status: () => DtmaStatus
  readonly toolLogs: (name: string, wish: LogWish, signal: AbortSignal) => AsyncIterable<LogLine>
  readonly toolStats: (name: string, signal: AbortSignal) => AsyncIterable<ToolStats>
  readonly journal: Pick<Journal, 'follow'>
  readonly diagnostics: (signal: AbortSignal) => Promise<readonly Check[]>
  readonly calls: ToolCalls
  readonly mcp: McpEndpoint
  readonly log: Log
  /** Restarts DTMA shortly, when the answer is on its way. */
  readonly restart: () => void
}

/** The DTMA API, as served on port 30000 and inside the tunnel. */
export function createApp(deps: AppDeps): Hono {
  const { registry, status, log } = deps
  const app = new Hono()
  app.onError(problemResponse(log))
  app.notFound((c) =>
    problemResponse(log)(problem('not-found', `${c.req.method} ${c.req.path} is no route of DTMA`), c),
  )

  mount(app, getHealth, () => ({
    status: deps.apiKey() === undefined ? ('unconfigured' as const) : ('ok' as const),
    version: deps.version,
  }))
  // Whatever is registered from here on, and whatever is not, needs the key.
  app.use(async (c, next) => {
    admit(c.req.header('authorization'), deps.apiKey())
    await next()
  })

  mount(app, getStatus, () => status())
  mount(app, getSystem, () => status().system)
  mount(app, getDiagnostics, async (_, { signal }) => ({ checks: [...(await deps.diagnostics(signal))] }))
  mountStream(app, followEvents, (_, { signal, lastEventId }) => deps.journal.follow(lastEventId, signal))
  app.get(METRICS_PATH, (c) => c.body(prometheusOf(status()), 200, { 'content-type': PROMETHEUS_TEXT }))
  mount(app, getDtmaLogs, () => ({ lines: [...log.lines()] }))
  mount(app, restartDtma, () => {
    deps.restart()
    return { restarting: true as const }
  })

  mount(app, listTools, () => ({ tools: registry().list() }))
  mount(app, createTool, ({ body: { name, ...request } }) => registry().create(name, request))
  mount(app, getTool, ({ params }) => registry().get(params.name))
  mount(app, putTool, ({ params, body }) => registry().put(params.name, body))
  mount(app, deleteTool, async ({ params }) => {
    await registry().delete(params.name)
    return undefined
  })
  mount(app, startTool, ({ params }) => registry().start(params.name))
  mount(app, stopTool, ({ params }) => registry().stop(params.name))
  mount(app, restartTool, ({ params }) => registry().restart(params.name))
  mount(app, putToolSecrets, ({ params, body }) => registry().holdSecrets(params.name, body))
  mount(app, withdrawToolSecrets, ({ params }) => registry().withdrawSecrets(params.name))
  mount(app, getCapabilities, ({ params }) => {
    const { digest, capabilities } = registry().info(params.name)
    return { digest, capabilities: [...capabilities] }
  })
  mount(app, callCapability, ({ params, body }, { signal }) => {
    registry().get(params.name)
    return deps.calls.call(params.name, body.capability, body.arguments, body.timeoutMs, signal)
  })
  mountStream(app, followToolLogs, ({ params, query }, { signal, lastEventId }) => {
    registry().get(params.name)
    const { follow, tail } = query
    const asked = lastEventId ?? query.since
    const since = asked === undefined ? undefined : positionOf(asked)
    if (asked !== undefined && since === undefined)
      throw problem('invalid-request', 'since, or Last-Event-ID: must be the `at` of a line, a time in UTC')
    return withIds(deps.toolLogs(params.name, { follow, tail, since }, signal))
  })

  mountStream(app, followToolStats, ({ params }, { signal }) => {
    registry().get(params.name)
    return withIds(deps.toolStats(params.name, signal))
  })

  app.all('/tools/:name/mcp', (c) => {
    const name = ToolName.safeParse(c.req.param('name'))
    if (!name.success) throw problem('tool-not-found', 'No tool has such a name')
    registry().get(name.data)
    return deps.mcp(name.data, c.req.raw)
  })
  return app
}

async function* withIds<T extends { readonly at: string }>(
  items: AsyncIterable<T>,
): AsyncGenerator<{ id: string; data: T }> {
  for await (const data of items) yield { id: data.at, data }
}
