import * as z from 'zod'
import { AgentId, Timestamp, ToolbeltItemId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** One secret that a tool takes, of each agent its own. */
export const SecretField = z.object({
  key: z.string().regex(/^[a-z][a-zA-Z0-9]{0,39}$/),
  title: z.string(),
  description: z.string().optional(),
  /** Without it the tool does not start for the agent. */
  required: z.boolean(),
  /** Where the server finds it: an environment variable, or a file in the container's memory. */
  target: z.union([z.object({ env: z.string() }), z.object({ file: z.string() })]),
})
export type SecretField = z.infer<typeof SecretField>

/** What is known of the secrets of one agent for one tool. The values go in and never come out. */
export const Credential = z.object({
  toolbeltItemId: ToolbeltItemId,
  /**
   * `not_needed`: the tool takes none. `missing`: a required one is not there, and calls are refused. `unverified`: stored, not
   * tried yet. `valid`: the tool started with it and answered as an MCP server. `refused`: it did not.
   */
  state: z.enum(['not_needed', 'missing', 'unverified', 'valid', 'refused']),
  /** Why it was refused. */
  reason: z.string().optional(),
  /** Grows with each change. */
  version: z.int().optional(),
  changedAt: Timestamp.optional(),
  fields: z.array(
    SecretField.extend({
      set: z.boolean(),
      /** The end of the value, to tell keys apart; a short value shows nothing of itself. */
      hint: z.string().optional(),
    }),
  ),
})
export type Credential = z.infer<typeof Credential>

const item = z.object({ agentId: AgentId, toolbeltItemId: ToolbeltItemId })
const path = '/api/agents/:agentId/toolbelt/:toolbeltItemId/credential'

export const getCredential = defineUserOperation({
  id: 'getCredential',
  summary: 'What is known of the secrets of an agent for a tool; never their values',
  method: 'GET',
  path,
  auth: 'viewer',
  status: 200,
  params: item,
  reply: Credential,
  problems: ['agent-not-found', 'toolbelt-item-not-found'],
})

export const putCredential = defineUserOperation({
  id: 'putCredential',
  summary: 'Store or rotate the secrets of an agent for a tool; they are tried, and never shown again',
  method: 'PUT',
  path,
  auth: 'operator',
  status: 200,
  params: item,
  body: z.strictObject({
    values: z
      .record(z.string().max(40), z.string().min(1).max(65_536).nullable())
      .describe('By key of the field. What is not named keeps its value; null removes it.'),
  }),
  reply: Credential,
  problems: ['agent-not-found', 'toolbelt-item-not-found', 'invalid-credential'],
})

export const revokeCredential = defineUserOperation({
  id: 'revokeCredential',
  summary: 'Forget the secrets of an agent for a tool, and stop what runs with them',
  method: 'DELETE',
  path,
  auth: 'operator',
  status: 204,
  params: item,
  problems: ['agent-not-found', 'toolbelt-item-not-found'],
})
