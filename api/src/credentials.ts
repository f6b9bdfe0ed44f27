import * as z from 'zod'
import { AgentId, secret, Timestamp, ToolbeltItemId } from './fields.ts'
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

/** How a tool's access token is had: a person consents at the authorization server, and it is refreshed from then on. */
export const ToolOAuth = z
  .object({
    /** Key of the secret that is filled with the access token. */
    field: SecretField.shape.key,
    scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)),
    /** What the tokens are for (RFC 8707). Without an issuer it is asked for its authorization server (RFC 9728). */
    resource: z.url().optional(),
    issuer: z.url().optional(),
    /** Of an issuer that does not describe itself (RFC 8414). */
    endpoints: z.object({ authorization: z.url(), token: z.url(), revocation: z.url().optional() }).optional(),
  })
  .refine(({ resource, issuer }) => resource !== undefined || issuer !== undefined, 'a resource or an issuer')
  .refine(({ issuer, endpoints }) => endpoints === undefined || issuer !== undefined, 'endpoints need their issuer')
export type ToolOAuth = z.infer<typeof ToolOAuth>

/** The connection that a secret comes from. Its refresh token never leaves the control plane. */
export const Connection = z.object({
  /** `requires_reauth`: the authorization server takes the refresh token no longer; a person must consent anew. */
  state: z.enum(['not_connected', 'connected', 'requires_reauth']),
  /** Key of the secret that it fills. */
  field: SecretField.shape.key,
  issuer: z.string().optional(),
  scopes: z.array(z.string()),
  /** Why it needs a person, or why the last refresh did not succeed. */
  reason: z.string().optional(),
  connectedBy: z.string().optional(),
  connectedAt: Timestamp.optional(),
  /** When the present access token ends; it is refreshed before. */
  expiresAt: Timestamp.optional(),
})
export type Connection = z.infer<typeof Connection>

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
  /** Of a tool whose access token comes from an authorization server. */
  connection: Connection.optional(),
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
      .record(z.string().max(40), secret(z.string().min(1).max(65_536)).nullable())
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
