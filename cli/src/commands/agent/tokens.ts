import { type Agent, type AgentToken, type Client, listAgentTokens, problem, revokeAgentToken } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { table } from '../../output.ts'
import { AGENT } from './name.ts'

export const agentTokens = command(
  'tokens',
  'List the tokens of an agent; never their secrets',
  AGENT,
  async ({ client, args, output }) => {
    const { id: agentId } = await findAgent(client, args.agent)
    output.result(await client.call(listAgentTokens, { params: { agentId } }), ({ items }) =>
      table(
        ['name', 'begins with', 'last used', 'expires', 'id'],
        items.map((one) => [one.name, one.hint, one.lastUsedAt, one.expiresAt, one.id]),
      ),
    )
  },
)

export const agentRevokeToken = command(
  'revoke-token',
  'Revoke a token of an agent: calls under way with it end',
  { ...AGENT, token: { type: 'positional', description: 'Name or id of the token', required: true } },
  async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const { id: tokenId, name } = await findToken(client, agent, args.token)
    await client.call(revokeAgentToken, { params: { agentId: agent.id, tokenId } })
    output.result({ revoked: tokenId }, () => `${name} of ${agent.name} is revoked`)
  },
)

/** Tokens may share a name: then none of them is meant, and its id has to be said. */
async function findToken(client: Client, { id: agentId, name }: Agent, nameOrId: string): Promise<AgentToken> {
  const { items } = await client.call(listAgentTokens, { params: { agentId } })
  const own = items.find(({ id }) => id === nameOrId)
  const called = own ? [own] : items.filter((one) => one.name === nameOrId)
  if (!called[0]) throw problem('token-not-found', `${name} has no token that is called ${nameOrId}`)
  if (called.length > 1)
    throw problem(
      'invalid-request',
      `Several tokens of ${name} are called ${nameOrId}; say which by its id: ${called.map(({ id }) => id).join(', ')}`,
    )
  return called[0]
}
