import { removeAgent } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { AGENT } from './name.ts'

export const agentRemove = command(
  'remove',
  'Remove an agent with its tokens and toolbelt',
  AGENT,
  async ({ client, args, output }) => {
    const { id, name } = await findAgent(client, args.agent)
    await client.call(removeAgent, { params: { agentId: id } })
    output.result({ removed: id }, () => `${name} is removed`)
  },
)
