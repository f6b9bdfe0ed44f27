import type { Check, ToolStats } from '../contract/event.ts'
import { createGroup, deleteGroup, getGroup, listGroups } from '../contract/group.ts'
import { LANE_PATH } from '../contract/lane.ts'
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
  redeployDtma,
  restartDtma,
  restartTool,
  rotateKeys,
  setRoad,
  startTool,
  stopTool,
  withdrawToolSecrets,
} from '../contract/operations.ts'
import { problem } from '../contract/problems.ts'
import type { SignedRelease, UpdateState } from '../contract/release.ts'
import type { RoadState, RoadWish } from '../contract/road.ts'
import type { DtmaStatus } from '../contract/status.ts'
import { type LogLine, ToolName } from '../contract/tool.ts'
import type { GroupRegistry } from '../groups/group.registry.ts'
import type { Log } from '../log.ts'
import { PROMETHEUS_TEXT, prometheusOf } from '../system/prometheus.ts'
import type { Journal } from '../tools/journal.ts'
import { type LogWish, positionOf } from '../tools/tool-logs.ts'
import type { ToolRegistry } from '../tools/tool-registry.ts'
import type { McpEndpoint, ToolCalls } from '../tools/tool-sessions.ts'
import { admit } from './auth.ts'
import type { HttpReply, HttpRequest } from './exchange.ts'
import { serveLane } from './lane.ts'
import type { App } from './listener.ts'
import { mount, mountStream } from './mount.ts'
import { problemReply } from './problem-reply.ts'
import { createRoutes, type Routes } from './routes.ts'

export interface AppDeps {
  /** `undefined` until DTMA is told whom to trust. */
  readonly apiKey: () => string | undefined
  readonly version: string
  /** @throws {ProblemError} `state-not-writable` while the state directory cannot be opened. */
  readonly registry: () => ToolRegistry
  /** @throws {ProblemError} As `registry`. */
  readonly groups: () => Omit<GroupRegistry, 'wake' | 'stopped'>
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
  /** Begins to replace this DTMA by a release. @throws {ProblemError} */
  readonly redeploy: (attempt: string, release: SignedRelease) => Promise<UpdateState>
  /** Begins to enrol anew with this token. @throws {ProblemError} */
  readonly rotateKeys: (token: string) => void
  /** Opens these roads and closes the others. @throws {ProblemError} */
  readonly setRoad: (wish: RoadWish) => Promise<RoadState>
}

/** The DTMA API, as served on port 30000 and inside the tunnel. */
export function createApp(deps: AppDeps): App {
  const forAnybody = routesForAnybody(deps)
  const forHolder = routesForHolder(deps)
  const problemOf = problemReply(deps.log)

  async function answer(request: HttpRequest): Promise<HttpReply> {
    const open = forAnybody.find(request)
    if (open) return open()
    // Whatever else is asked for, and whatever is not there, needs the key.
    admit(request.headers.authorization, deps.apiKey())
    if (request.method === 'POST' && request.url === LANE_PATH) return serveLane(app, request)
    const found = forHolder.find(request)
    if (!found) throw problem('not-found', `${request.method} ${pathOf(request)} is no route of DTMA`)
    return found()
  }

  const app: App = (request) => answer(request).catch(problemOf)
  return app
}

const pathOf = ({ url }: HttpRequest): string => url.split('?', 1)[0] as string

export function routesForAnybody(deps: Pick<AppDeps, 'apiKey' | 'version'>): Routes {
  const routes = createRoutes()
  mount(routes, getHealth, () => ({
    status: deps.apiKey() === undefined ? ('unconfigured' as const) : ('ok' as const),
    version: deps.version,
  }))
  return routes
}

/** For whoever holds the key of this DTMA. */
export function routesForHolder(deps: AppDeps): Routes {
  const { registry, status, log } = deps
  const routes = createRoutes()
  mount(routes, getStatus, () => status())
  mount(routes, getSystem, () => status().system)
  mount(routes, getDiagnostics, async (_, { signal }) => ({ checks: [...(await deps.diagnostics(signal))] }))
  mountStream(routes, followEvents, (_, { signal, lastEventId }) => deps.journal.follow(lastEventId, signal))
  routes.on('GET', METRICS_PATH, () => ({
    status: 200,
    headers: { 'content-type': PROMETHEUS_TEXT },
    body: prometheusOf(status()),
  }))
  mount(routes, getDtmaLogs, () => ({ lines: [...log.lines()] }))
  mount(routes, restartDtma, () => {
    deps.restart()
    return { restarting: true as const }
  })
  mount(routes, redeployDtma, ({ body }) => deps.redeploy(body.attempt, body.release))
  mount(routes, rotateKeys, ({ body }) => {
    deps.rotateKeys(body.token)
    return { rotating: true as const }
  })
  mount(routes, setRoad, ({ body }) => deps.setRoad(body))

  mount(routes, listTools, () => ({ tools: registry().list() }))
  mount(routes, createTool, ({ body: { name, ...request } }) => registry().create(name, request))
  mount(routes, getTool, ({ params, query }, { signal }) =>
    query.waitMs > 0 ? registry().rested(params.name, query.waitMs, signal) : registry().get(params.name),
  )
  mount(routes, putTool, ({ params, body }) => registry().put(params.name, body))
  mount(routes, deleteTool, async ({ params }) => {
    await registry().delete(params.name)
    return undefined
  })
  mount(routes, listGroups, () => ({ groups: deps.groups().list() }))
  mount(routes, createGroup, ({ body }) => deps.groups().create(body))
  mount(routes, getGroup, ({ params }) => deps.groups().get(params.id))
  mount(routes, deleteGroup, async ({ params }) => {
    await deps.groups().delete(params.id)
    return undefined
  })
  mount(routes, startTool, ({ params }) => registry().start(params.name))
  mount(routes, stopTool, ({ params }) => registry().stop(params.name))
  mount(routes, restartTool, ({ params }) => registry().restart(params.name))
  mount(routes, putToolSecrets, ({ params, body }) => registry().holdSecrets(params.name, body))
  mount(routes, withdrawToolSecrets, ({ params }) => registry().withdrawSecrets(params.name))
  mount(routes, getCapabilities, ({ params }) => {
    const { digest, capabilities } = registry().info(params.name)
    return { digest, capabilities: [...capabilities] }
  })
  mount(routes, callCapability, ({ params, body }, { signal }) => {
    registry().get(params.name)
    return deps.calls.call(params.name, body.capability, body.arguments, body.timeoutMs, signal)
  })
  mountStream(routes, followToolLogs, ({ params, query }, { signal, lastEventId }) => {
    registry().get(params.name)
    const { follow, tail } = query
    const asked = lastEventId ?? query.since
    const since = asked === undefined ? undefined : positionOf(asked)
    if (asked !== undefined && since === undefined)
      throw problem('invalid-request', 'since, or Last-Event-ID: must be the `at` of a line, a time in UTC')
    return withIds(deps.toolLogs(params.name, { follow, tail, since }, signal))
  })

  mountStream(routes, followToolStats, ({ params }, { signal }) => {
    registry().get(params.name)
    return withIds(deps.toolStats(params.name, signal))
  })

  routes.on(['GET', 'POST', 'DELETE'], '/tools/:name/mcp', ({ request, params }) => {
    const name = ToolName.safeParse(params['name'])
    if (!name.success) throw problem('tool-not-found', 'No tool has such a name')
    registry().get(name.data)
    return deps.mcp(name.data, request)
  })
  return routes
}

async function* withIds<T extends { readonly at: string }>(
  items: AsyncIterable<T>,
): AsyncGenerator<{ id: string; data: T }> {
  for await (const data of items) yield { id: data.at, data }
}
