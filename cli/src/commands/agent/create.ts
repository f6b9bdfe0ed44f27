import { createAgent } from '@agentopia/api'
import { command } from '../../command.ts'

export const agentCreate = command(
  'create',
  'Register an agent',
  {
    name: { type: 'positional', description: 'Name', required: true },
    description: { type: 'string', description: 'What it is for', default: '' },
  },
  async ({ client, args, output }) => {
    output.result(
      await client.call(createAgent, { body: { name: args.name, description: args.description } }),
      (agent) => `${agent.name}  (${agent.id})`,
    )
  },
)
