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
  /** `denied`: refused by us. `tool_error`: the tool answered with isError. `failed`: no proper answer came. */
  outcome: z.enum(['ok', 'tool_error', 'denied', 'failed', 'timeout', 'cancelled']),
  /** Problem code when the outcome is not ok. */
  code: z.string().optional(),
  startedAt: Timestamp,
  durationMs: z.number(),
  /** SHA-256, hex. */
  argumentDigest: z.string(),
  argumentBytes: z.int(),
  resultBytes: z.int().optional(),
})
export type Call = z.infer<typeof Call>

export const listCalls = defineUserOperation({
  id: 'listCalls',
  summary: 'List calls, newest first',
  method: 'GET',
  path: '/api/calls',
  auth: 'viewer',
  status: 200,
  query: Page.extend({
    agentId: AgentId.optional(),
    instanceId: InstanceId.optional(),
    outcome: Call.shape.outcome.optional(),
  }),
  reply: pageOf(Call),
  problems: [],
})
