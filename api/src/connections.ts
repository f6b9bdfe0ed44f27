import * as z from 'zod'
import { Credential } from './credentials.ts'
import { AgentId, secret, Timestamp, ToolbeltItemId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

const item = z.object({ agentId: AgentId, toolbeltItemId: ToolbeltItemId })
const path = '/api/agents/:agentId/toolbelt/:toolbeltItemId/connection'
const word = z.string().min(1).max(4_096)

export const startConnection = defineUserOperation({
  id: 'startConnection',
  summary:
    'Begin to connect an agent’s tool to the service behind it: the answer says where the person goes to consent',
  method: 'POST',
  path,
  auth: 'operator',
  personal: 'consent',
  status: 200,
  params: item,
  reply: z.object({
    /** Opened in a browser in which the same person is signed in here. */
    authorizationUrl: secret(z.url()),
    expiresAt: Timestamp,
  }),
  problems: [
    'agent-not-found',
    'toolbelt-item-not-found',
    'invalid-credential',
    'oauth-client-missing',
    'provider-refused',
    'provider-unavailable',
  ],
})

export const finishConnection = defineUserOperation({
  id: 'finishConnection',
  summary: 'Finish a connection with what the authorization server sent back by the browser; once',
  method: 'POST',
  path: '/api/connections',
  auth: 'operator',
  personal: 'consent',
  status: 200,
  body: z.strictObject({
    server: z.string().min(1).max(64).describe('Last part of the address that the browser was sent back to.'),
    state: secret(word),
    code: secret(word).optional(),
    iss: word.optional(),
    error: word.optional(),
  }),
  reply: z.object({ agentId: AgentId, credential: Credential }),
  problems: ['connection-refused', 'oauth-client-missing', 'provider-refused', 'provider-unavailable'],
})

export const endConnection = defineUserOperation({
  id: 'endConnection',
  summary: 'End a connection: its tokens are forgotten here, and taken back at the service where it can do that',
  method: 'DELETE',
  path,
  auth: 'operator',
  status: 204,
  params: item,
  problems: ['agent-not-found', 'toolbelt-item-not-found'],
})

/** How an authorization server knows this account; some give that out by themselves, for others somebody registers it by hand. */
export const OAuthClient = z.object({
  issuer: z.url(),
  clientId: z.string(),
  /** Has it a secret? That is never shown. */
  secret: z.boolean(),
  registered: z.enum(['by-hand', 'by-itself']),
  /** To be entered at the authorization server, exactly. */
  redirectUri: z.url(),
})
export type OAuthClient = z.infer<typeof OAuthClient>

export const listOAuthClients = defineUserOperation({
  id: 'listOAuthClients',
  summary: 'List how authorization servers know this account; never the secrets',
  method: 'GET',
  path: '/api/connections/clients',
  auth: 'viewer',
  status: 200,
  reply: z.object({ items: z.array(OAuthClient) }),
  problems: [],
})

export const putOAuthClient = defineUserOperation({
  id: 'putOAuthClient',
  summary: 'Store the client id (and secret) that an authorization server gave out for this account',
  method: 'PUT',
  path: '/api/connections/clients',
  auth: 'admin',
  status: 200,
  body: z.strictObject({
    issuer: z.url({ protocol: /^https?$/ }).max(500),
    clientId: z.string().min(1).max(500),
    clientSecret: secret(z.string().min(1).max(2_000)).optional(),
  }),
  reply: OAuthClient,
  problems: [],
})
