import * as z from 'zod'
import { AgentId, CallId, InstanceId, Page, pageOf, Timestamp } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** One call of one capability, as recorded. Never holds arguments or results, only their digests and sizes. */
export const Call = z.object({
  id: CallId,
  agentId: AgentId,
  agentName: z.string(),
  instanceId: InstanceId.optional(),
  instanceName: z.string().optional(),
  capability: z.string(),
  /** By which door it came: MCP as of 2026-07-28, MCP of earlier revisions, or the REST call. */
  via: z.enum(['mcp', 'mcp-legacy', 'rest']).optional(),
  /** Which version of the tool instance was called: its generation, and SHA-256 of package and version, configuration and image. */
  instanceGeneration: z.int().optional(),
  specDigest: z.string().optional(),
  /** SHA-256 of the capability's name, description and schemas, as the agent was shown them. */
  capabilityDigest: z.string().optional(),
  /** `denied`: refused by us. `tool_error`: the tool answered with isError. `failed`: no proper answer came. */
  outcome: z.enum(['ok', 'tool_error', 'denied', 'failed', 'timeout', 'cancelled']),
  /** Problem code when the outcome is not ok. `repeated`: nothing was sent; the answer is that of an earlier call with the same key. */
  code: z.string().optional(),
  /** Who was asked before the call was made and said yes; or no, when its code is `approval-denied`. */
  decidedBy: z.string().optional(),
  startedAt: Timestamp,
  durationMs: z.number(),
  /** SHA-256, hex. */
  argumentDigest: z.string(),
  argumentBytes: z.int(),
  resultBytes: z.int().optional(),
  /** SHA-256 of the answer as it was passed on, hex. */
  resultDigest: z.string().optional(),
  /**
   * Secrets that were seen, each as `<where>:<kind>`: in the `arguments`, the `result` or a `notification`; `own-secret` is one of
   * the agent's own. They were taken out, or the call was refused (`code` is `secret-blocked`). In what the tool said also
   * `control-characters` and `hidden-characters`, which were taken out.
   */
  secretsSeen: z.array(z.string()).optional(),
  /** Place in the chain of the account, from 1. Absent in records that are older than the chain. */
  sequence: z.int().optional(),
  /** Hash of the record before. */
  previousHash: z.string().optional(),
  /** SHA-256 of this record with the hash before it, hex (docs/decisions/0040). */
  hash: z.string().optional(),
})
export type Call = z.infer<typeof Call>

/** Which calls: what is absent does not matter. */
const CallFilter = z.object({
  agentId: AgentId.optional(),
  instanceId: InstanceId.optional(),
  capability: z.string().min(1).max(256).optional().describe('Its name, as its server knows it.'),
  outcome: Call.shape.outcome.optional(),
  from: Timestamp.optional().describe('Began at this time or later.'),
  to: Timestamp.optional().describe('Began before this time.'),
  text: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('Part of the name of agent, instance or capability, of the code, or the id of the call.'),
})
export type CallFilter = z.infer<typeof CallFilter>

export const listCalls = defineUserOperation({
  id: 'listCalls',
  summary: 'List calls, newest first',
  method: 'GET',
  path: '/api/calls',
  auth: 'viewer',
  status: 200,
  query: Page.extend(CallFilter.shape),
  reply: pageOf(Call),
  problems: [],
})

export const exportCalls = defineUserOperation({
  id: 'exportCalls',
  summary: 'Read all calls that fit, oldest first, as a file',
  method: 'GET',
  path: '/api/calls/export',
  auth: 'viewer',
  status: 200,
  query: CallFilter.extend({ format: z.enum(['ndjson', 'csv']).default('ndjson') }),
  file: ['application/x-ndjson', 'text/csv'],
  problems: [],
})

const Position = z.object({ sequence: z.int(), hash: z.string() })

/** What came of following the chain of calls from its beginning to its end. */
export const CallVerification = z.object({
  intact: z.boolean(),
  /** Records that were looked at. */
  checked: z.int(),
  /** The end of the chain. Keep it elsewhere: a later verification can be told to find it. */
  head: Position,
  /** The last record that was removed by the account's rule: the chain goes on from here. */
  removed: Position.optional(),
  /** Records that are older than the chain; nothing is proven of them. */
  unchained: z.int(),
  /** The first thing that is wrong. */
  broken: z
    .object({
      sequence: z.int(),
      callId: z.string().optional(),
      reason: z.enum(['altered', 'missing', 'unlinked', 'added', 'head', 'seal', 'not-found']),
      message: z.string(),
    })
    .optional(),
})
export type CallVerification = z.infer<typeof CallVerification>

export const verifyCalls = defineUserOperation({
  id: 'verifyCalls',
  summary: 'Check that no record of a call was changed, removed or added since it was written',
  method: 'GET',
  path: '/api/calls/verification',
  auth: 'viewer',
  status: 200,
  query: z
    .object({
      sequence: z.coerce.number().int().min(1).optional(),
      hash: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    })
    .refine(({ sequence, hash }) => (sequence === undefined) === (hash === undefined), 'sequence and hash go together')
    .describe('A head that was noted earlier: it must be in the chain.'),
  reply: CallVerification,
  problems: [],
})

export const SecretPolicy = z.enum(['redact', 'block', 'off'])
export type SecretPolicy = z.infer<typeof SecretPolicy>

export const FlowPolicy = z.enum(['warn', 'block'])
export type FlowPolicy = z.infer<typeof FlowPolicy>

/** What an account decides about its calls. */
export const CallSettings = z.object({
  /** The kill switch of the account: off means every call of every agent is refused, and those under way are ended. */
  enabled: z.boolean(),
  /** Records older than so many days are removed. Null: none ever is. */
  retentionDays: z.int().min(1).max(3_650).nullable(),
  /** How long a call waits for a person who says whether it is made. */
  approvalSeconds: z.int().min(10).max(3_600),
  /**
   * What is done about texts that look like a secret (a key, a token) in arguments and answers: `redact` takes them out,
   * `block` refuses the call. The agents' own secrets are taken out always.
   */
  secrets: SecretPolicy,
  /** What is done about an agent that would read private data, see what strangers wrote and be able to send outwards, all at once. */
  dataFlow: FlowPolicy,
})
export type CallSettings = z.infer<typeof CallSettings>

export const getCallSettings = defineUserOperation({
  id: 'getCallSettings',
  summary: 'Read whether calls are made, how long they wait for a person, and how long their records are kept',
  method: 'GET',
  path: '/api/calls/settings',
  auth: 'viewer',
  status: 200,
  reply: CallSettings,
  problems: [],
})
export const switchCalls = defineUserOperation({
  id: 'switchCalls',
  summary: 'Kill switch: stop every call of the account, or allow calls again',
  method: 'PUT',
  path: '/api/calls/switch',
  auth: 'operator',
  status: 200,
  body: z.strictObject({ enabled: z.boolean() }),
  reply: CallSettings,
  problems: [],
})
export const updateCallSettings = defineUserOperation({
  id: 'updateCallSettings',
  summary:
    'Set how long records are kept and how long calls wait for a person, and what is done about secrets and the flow of data',
  method: 'PATCH',
  path: '/api/calls/settings',
  auth: 'admin',
  status: 200,
  body: CallSettings.omit({ enabled: true }).partial().strict(),
  reply: CallSettings,
  problems: [],
})
