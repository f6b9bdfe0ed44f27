import * as z from 'zod'
import { AgentId, GrantId, Name, secret, Timestamp } from './fields.ts'
import { defineUserOperation } from './operation.ts'

// MCP clients are programs that act as an agent after a person let them (OAuth 2.1). What they call themselves, by OAuth's own
// rules (metadata, registration, tokens), is not in this list: docs/protocol.md names it.

/** A client that acts as an agent. */
export const ConnectedClient = z.object({
  id: GrantId,
  name: z.string().describe('As the client calls itself; nobody vouches for it.'),
  clientId: z.string(),
  redirectHost: z.string().describe('Where its code was sent: a host, or the scheme of a program.'),
  createdAt: Timestamp,
  lastUsedAt: Timestamp.optional(),
  expiresAt: Timestamp.describe('Unless it comes again before.'),
})
export type ConnectedClient = z.infer<typeof ConnectedClient>

/** The query of the authorization request, as the page was given it. */
const RequestWord = z.string().min(1).max(9_000)

export const describeAuthorization = defineUserOperation({
  id: 'describeAuthorization',
  summary: 'What a client asks for: shown to the person who decides',
  method: 'GET',
  path: '/api/authorization',
  auth: 'operator',
  personal: 'consent',
  status: 200,
  query: z.object({ request: RequestWord }),
  reply: z.object({
    client: z.object({
      name: z.string().describe('As the client calls itself; nobody vouches for it.'),
      documentHost: z
        .string()
        .optional()
        .describe('The site that vouches for the client, when it is known by a document of that site.'),
      redirectHost: z.string().describe('Where the answer goes: a host, or the scheme of a program.'),
      staysHere: z.boolean().describe("Whether the answer stays on the person's own machine."),
    }),
    lastAgentId: AgentId.optional().describe('The agent that this person chose for this client the last time.'),
    refusedTo: z
      .string()
      .optional()
      .describe(
        'The request cannot be granted; the client is told so there. When it is another site, the person decides whether to go.',
      ),
  }),
  problems: ['authorization-refused', 'rate-limited'],
})

export const decideAuthorization = defineUserOperation({
  id: 'decideAuthorization',
  summary: 'Let a client act as an agent, or refuse; the browser then goes to the address of the reply',
  method: 'POST',
  path: '/api/authorization',
  auth: 'operator',
  personal: 'consent',
  status: 200,
  presence: 'of-sessions',
  presenceFor: z.object({ decision: z.object({ kind: z.enum(['agent', 'new-agent']) }) }),
  body: z.strictObject({
    request: RequestWord,
    decision: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('refuse') }),
      z.strictObject({ kind: z.literal('agent'), agentId: AgentId }),
      z.strictObject({ kind: z.literal('new-agent'), name: Name }),
    ]),
  }),
  reply: z.object({ redirectTo: secret(z.string()) }),
  problems: ['presence-needed', 'authorization-refused', 'agent-not-found', 'name-taken', 'rate-limited'],
})

export const listConnectedClients = defineUserOperation({
  id: 'listConnectedClients',
  summary: 'List the clients that act as an agent',
  method: 'GET',
  path: '/api/agents/:agentId/clients',
  auth: 'viewer',
  status: 200,
  params: z.object({ agentId: AgentId }),
  reply: z.object({ items: z.array(ConnectedClient) }),
  problems: ['agent-not-found'],
})

export const disconnectClient = defineUserOperation({
  id: 'disconnectClient',
  summary: 'Disconnect a client from an agent: its tokens are refused from then on',
  method: 'DELETE',
  path: '/api/agents/:agentId/clients/:grantId',
  auth: 'operator',
  status: 204,
  params: z.object({ agentId: AgentId, grantId: GrantId }),
  problems: ['agent-not-found', 'client-not-found'],
})
