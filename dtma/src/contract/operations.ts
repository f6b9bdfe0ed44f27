import * as z from 'zod/mini'
import { Check, DtmaEvent, ToolStats } from './event.ts'
import { createGroup, deleteGroup, getGroup, listGroups } from './group.ts'
import { defineOperation } from './operation.ts'
import { Attempt, SignedRelease, UpdateState } from './release.ts'
import { RoadState, RoadWish } from './road.ts'
import { DtmaStatus, SystemMetrics } from './status.ts'
import { Capability, LogLine, ToolName, ToolRequest, ToolStatus } from './tool.ts'
import { SecretValues } from './tool-secret.ts'

/** The DTMA API: port 30000, and the same inside the tunnel. `toolbox` needs `Authorization: Bearer <BACKEND_TO_DTMA_API_KEY>`. */
const named = z.object({ name: ToolName })

export const getHealth = defineOperation({
  id: 'getHealth',
  summary: 'Liveness; no inventory',
  method: 'GET',
  path: '/health',
  auth: 'none',
  status: 200,
  reply: z.object({ status: z.enum(['ok', 'unconfigured']), version: z.string() }),
  problems: [],
})

export const getStatus = defineOperation({
  id: 'getStatus',
  summary: 'The whole truth at once',
  method: 'GET',
  path: '/status',
  auth: 'toolbox',
  status: 200,
  reply: DtmaStatus,
  problems: [],
})

export const getSystem = defineOperation({
  id: 'getSystem',
  summary: 'CPU, memory, disk and network of the machine',
  method: 'GET',
  path: '/system',
  auth: 'toolbox',
  status: 200,
  reply: SystemMetrics,
  problems: [],
})

export const listTools = defineOperation({
  id: 'listTools',
  summary: 'List the tools',
  method: 'GET',
  path: '/tools',
  auth: 'toolbox',
  status: 200,
  reply: z.object({ tools: z.array(ToolStatus) }),
  problems: [],
})

export const createTool = defineOperation({
  id: 'createTool',
  summary: 'Create a tool; refuses to change one',
  method: 'POST',
  path: '/tools',
  auth: 'toolbox',
  status: 202,
  body: z.extend(ToolRequest, { name: ToolName }),
  reply: ToolStatus,
  problems: ['tool-exists', 'too-busy'],
})

export const getTool = defineOperation({
  id: 'getTool',
  summary: 'Read one tool',
  method: 'GET',
  path: '/tools/:name',
  auth: 'toolbox',
  status: 200,
  params: named,
  query: z.object({
    /** Answer once the tool is no longer on its way, at the latest after so many milliseconds. An older DTMA answers at once. */
    waitMs: z._default(z.coerce.number().check(z.int(), z.minimum(0), z.maximum(10_000)), 0),
  }),
  reply: ToolStatus,
  problems: ['tool-not-found'],
})

export const putTool = defineOperation({
  id: 'putTool',
  summary: 'Create or replace a tool; the same request again changes nothing',
  method: 'PUT',
  path: '/tools/:name',
  auth: 'toolbox',
  status: 202,
  params: named,
  body: ToolRequest,
  reply: ToolStatus,
  problems: ['stale-generation', 'too-busy'],
})

export const deleteTool = defineOperation({
  id: 'deleteTool',
  summary: 'Remove a tool, its container, network and state; succeeds when it is gone already',
  method: 'DELETE',
  path: '/tools/:name',
  auth: 'toolbox',
  status: 204,
  params: named,
  problems: [],
})

const lifecycle = <const Verb extends 'start' | 'stop' | 'restart'>(verb: Verb, summary: string) =>
  defineOperation({
    id: `${verb}Tool`,
    summary,
    method: 'POST',
    path: `/tools/:name/${verb}`,
    auth: 'toolbox',
    status: 202,
    params: named,
    reply: ToolStatus,
    problems: ['tool-not-found'],
  })

export const startTool = lifecycle('start', 'Ask for the tool to run')
export const stopTool = lifecycle('stop', 'Ask for the tool to stop')
export const restartTool = lifecycle('restart', 'Replace the running container by a new one')

export const putToolSecrets = defineOperation({
  id: 'putToolSecrets',
  summary: 'Give a tool the values of its secrets, kept in memory alone; another version restarts its container',
  method: 'PUT',
  path: '/tools/:name/secrets',
  auth: 'toolbox',
  status: 202,
  params: named,
  body: SecretValues,
  reply: ToolStatus,
  problems: ['tool-not-found'],
})

export const withdrawToolSecrets = defineOperation({
  id: 'withdrawToolSecrets',
  summary: 'Forget the values of the secrets of a tool, and stop what was started with them',
  method: 'DELETE',
  path: '/tools/:name/secrets',
  auth: 'toolbox',
  status: 202,
  params: named,
  reply: ToolStatus,
  problems: ['tool-not-found'],
})

export const getCapabilities = defineOperation({
  id: 'getCapabilities',
  summary: 'What the MCP server offers, as discovered',
  method: 'GET',
  path: '/tools/:name/capabilities',
  auth: 'toolbox',
  status: 200,
  params: named,
  reply: z.object({ digest: z.string(), capabilities: z.array(Capability) }),
  problems: ['tool-not-found', 'tool-not-running'],
})

export const followToolLogs = defineOperation({
  id: 'followToolLogs',
  summary: 'Read or follow the log of a tool',
  method: 'GET',
  path: '/tools/:name/logs',
  auth: 'toolbox',
  status: 200,
  params: named,
  query: z.object({
    /** Keep the stream open and send new lines. */
    follow: z._default(z.stringbool(), false),
    /** How many of the last lines to begin with. */
    tail: z._default(z.coerce.number().check(z.int(), z.minimum(0), z.maximum(10_000)), 200),
    /** Only lines after this `at`; the SSE `Last-Event-ID` header does the same. */
    since: z.optional(z.string()),
  }),
  event: LogLine,
  problems: ['tool-not-found'],
})

export const callCapability = defineOperation({
  id: 'callCapability',
  summary: 'Call one capability; the reply is the MCP result as the server gave it',
  method: 'POST',
  path: '/tools/:name/execute',
  auth: 'toolbox',
  status: 200,
  params: named,
  body: z.strictObject({
    capability: z.string().check(z.minLength(1), z.maxLength(256)),
    arguments: z._default(z.record(z.string(), z.unknown()), {}),
    /** Milliseconds until the call is given up and cancelled. */
    timeoutMs: z._default(z.int().check(z.minimum(1), z.maximum(3_600_000)), 60_000),
  }),
  reply: z.record(z.string(), z.unknown()),
  problems: ['tool-not-found', 'tool-not-running', 'tool-lost', 'tool-timeout', 'tool-protocol-error', 'too-busy'],
})

export const followToolStats = defineOperation({
  id: 'followToolStats',
  summary: "Measure a tool's container every two seconds",
  method: 'GET',
  path: '/tools/:name/stats',
  auth: 'toolbox',
  status: 200,
  params: named,
  event: ToolStats,
  problems: ['tool-not-found'],
})

export const followEvents = defineOperation({
  id: 'followEvents',
  summary: 'What happens on the toolbox, from now on, or after the event of the SSE `Last-Event-ID` header',
  method: 'GET',
  path: '/events',
  auth: 'toolbox',
  status: 200,
  event: DtmaEvent,
  problems: [],
})

export const getDiagnostics = defineOperation({
  id: 'getDiagnostics',
  summary: 'Look at everything that DTMA depends on; each check that fails says what to do',
  method: 'GET',
  path: '/diagnostics',
  auth: 'toolbox',
  status: 200,
  reply: z.object({ checks: z.array(Check) }),
  problems: [],
})

export const getDtmaLogs = defineOperation({
  id: 'getDtmaLogs',
  summary: "The last lines of DTMA's own log",
  method: 'GET',
  path: '/logs',
  auth: 'toolbox',
  status: 200,
  reply: z.object({ lines: z.array(z.string()) }),
  problems: [],
})

export const restartDtma = defineOperation({
  id: 'restartDtma',
  summary: 'Restart DTMA gracefully; tools keep running',
  method: 'POST',
  path: '/restart',
  auth: 'toolbox',
  status: 202,
  reply: z.object({ restarting: z.literal(true) }),
  problems: [],
})

export const redeployDtma = defineOperation({
  id: 'redeployDtma',
  summary:
    'Replace this DTMA by a signed release; one that does not prove itself within 120 s is replaced by this one again',
  method: 'POST',
  path: '/redeploy',
  auth: 'toolbox',
  status: 202,
  body: z.strictObject({
    /** Names the request: the same one again is answered with how far it is. */
    attempt: Attempt,
    release: SignedRelease,
  }),
  reply: UpdateState,
  problems: ['release-untrusted', 'release-not-newer', 'update-running', 'update-unavailable'],
})

export const rotateKeys = defineOperation({
  id: 'rotateKeys',
  summary:
    'Enrol anew with a fresh key; the credentials there are hold until the new ones are stored. The same token again changes nothing',
  method: 'POST',
  path: '/keys/rotate',
  auth: 'toolbox',
  status: 202,
  body: z.strictObject({
    /** An enrolment token of this toolbox. */
    token: z.string().check(z.minLength(16), z.maxLength(256)),
  }),
  reply: z.object({ rotating: z.literal(true) }),
  problems: ['keys-given', 'state-not-writable'],
})

export const setRoad = defineOperation({
  id: 'setRoad',
  summary:
    'Open the roads by which the control plane comes, and close the others; kept over restarts. The same again changes nothing',
  method: 'PUT',
  path: '/road',
  auth: 'toolbox',
  status: 200,
  body: RoadWish,
  reply: RoadState,
  problems: ['road-not-possible', 'state-not-writable'],
})

/** Every operation; `ALL /tools/{name}/mcp` (MCP streamable HTTP) is a protocol of its own beside them. */
export const DTMA_OPERATIONS = [
  getHealth,
  getStatus,
  getSystem,
  listTools,
  createTool,
  getTool,
  putTool,
  deleteTool,
  startTool,
  stopTool,
  restartTool,
  putToolSecrets,
  withdrawToolSecrets,
  getCapabilities,
  followToolLogs,
  callCapability,
  followToolStats,
  followEvents,
  listGroups,
  createGroup,
  getGroup,
  deleteGroup,
  getDiagnostics,
  getDtmaLogs,
  restartDtma,
  redeployDtma,
  rotateKeys,
  setRoad,
] as const

/** The status in Prometheus's text format; `auth` as for the others. */
export const METRICS_PATH = '/metrics'

/** Path of the MCP bridge of one tool. Body and answer are MCP's streamable HTTP. */
export const mcpPathOf = (name: string): string => `/tools/${encodeURIComponent(name)}/mcp`
