import { createAgentToken } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { ONE_CLIENT, snippetLines } from '../snippets.ts'
import { AGENT } from './name.ts'

export const agentConnect = command(
  'connect',
  'Make a token for an agent and print a client configuration to paste; the secret is shown once',
  {
    ...AGENT,
    name: { type: 'string', description: 'Name of the token', default: 'agentopia CLI' },
    ...ONE_CLIENT,
  },
  async ({ client, args, output }) => {
    const { id } = await findAgent(client, args.agent)
    const made = await client.call(createAgentToken, { params: { agentId: id }, body: { name: args.name } })
    output.result(made, ({ snippets, mcpUrl }) =>
      [`MCP endpoint: ${mcpUrl}`, ...snippetLines(snippets, args.client)].join('\n'),
    )
  },
)
