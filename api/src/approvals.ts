import * as z from 'zod'
import { AgentId, ApprovalId, CallId, Page, pageOf, Timestamp, ToolbeltItemId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** One call that waits, or waited, for a person to say whether it is made. */
export const Approval = z.object({
  id: ApprovalId,
  agentId: AgentId,
  agentName: z.string(),
  toolbeltItemId: ToolbeltItemId,
  instanceName: z.string(),
  capability: z.string(),
  readOnly: z.boolean().optional(),
  destructive: z.boolean().optional(),
  callId: CallId,
  /** By which door the call came. */
  via: z.enum(['mcp', 'mcp-legacy', 'rest']),
  /** `expired`: nobody can decide any more; `reason` says why. `withdrawn`: the agent took the call back, or a switch ended it. */
  state: z.enum(['waiting', 'approved', 'denied', 'expired', 'withdrawn']),
  /** JSON, what looks like a secret masked, long ones cut. While it waits, and only for those who may decide. */
  arguments: z.string().optional(),
  argumentBytes: z.int(),
  /** SHA-256, hex. */
  argumentDigest: z.string(),
  askedAt: Timestamp,
  /** Until then it waits. */
  expiresAt: Timestamp,
  decidedAt: Timestamp.optional(),
  decidedBy: z.string().optional(),
  /** The same capability is not asked for again. */
  always: z.boolean(),
  reason: z.string().optional(),
})
export type Approval = z.infer<typeof Approval>

export const listApprovals = defineUserOperation({
  id: 'listApprovals',
  summary: 'List calls that wait for a person, or what became of them, newest first',
  method: 'GET',
  path: '/api/approvals',
  auth: 'viewer',
  status: 200,
  query: Page.extend({
    state: z.enum(['waiting', 'settled']).default('waiting').describe('Those that can be decided; or the others.'),
    agentId: AgentId.optional(),
  }),
  reply: pageOf(Approval),
  problems: [],
})

export const decideApproval = defineUserOperation({
  id: 'decideApproval',
  summary: 'Let a waiting call be made, or deny it; the same answer twice is one answer',
  method: 'POST',
  path: '/api/approvals/:approvalId/decision',
  auth: 'operator',
  personal: 'consent',
  status: 200,
  params: z.object({ approvalId: ApprovalId }),
  body: z.strictObject({
    decision: z.enum(['approve', 'deny']),
    always: z
      .boolean()
      .default(false)
      .describe(
        'With `approve`: no one is asked again for this capability of this agent, and what waits for it is made.',
      ),
    reason: z.string().max(300).default('').describe('With `deny`: told to the agent.'),
  }),
  reply: Approval,
  problems: ['approval-not-found', 'approval-settled'],
})
