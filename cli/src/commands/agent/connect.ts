import { createAgentToken } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { AGENT } from './name.ts'

export const agentConnect = command(
  'connect',
  'Make a token for an agent and print a client configuration to paste; the secret is shown once',
  {
    ...AGENT,
    name: { type: 'string', description: 'Name of the token', default: 'agentopia CLI' },
    client: { type: 'string', description: 'Which snippet to print; default: all' },
  },
  async ({ client, args, output }) => {
    const { id } = await findAgent(client, args.agent)
    const made = await client.call(createAgentToken, { params: { agentId: id }, body: { name: args.name } })
    output.result(made, ({ snippets, mcpUrl }) =>
      [
        `MCP endpoint: ${mcpUrl}`,
        ...snippets
          .filter((one) => !args.client || one.client === args.client)
          .map((one) => `\n# ${one.title}\n${one.text}`),
      ].join('\n'),
    )
  },
)
