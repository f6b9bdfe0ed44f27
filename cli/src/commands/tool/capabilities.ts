import { type Client, listCapabilities, listToolbeltCapabilities } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findInstance, findToolbeltItem } from '../../find.ts'
import { table } from '../../output.ts'
import { PLACE } from './place.ts'

export const toolCapabilities = command(
  'capabilities',
  'What a deployed tool offers: to all agents, to any, or to one',
  { ...PLACE, to: { type: 'string', description: 'Name or id of an agent that has it in its toolbelt' } },
  async ({ client, args, output }) => {
    const capabilities =
      args.to === undefined ? await toAny(client, args.tool) : await toAgent(client, args.tool, args.to)
    output.result(capabilities, (all) =>
      table(
        ['capability', 'description'],
        all.map((one) => [one.name, one.description]),
      ),
    )
  },
)

async function toAny(client: Client, tool: string) {
  const { toolboxId, id } = await findInstance(client, tool)
  return (await client.call(listCapabilities, { params: { toolboxId, instanceId: id } })).capabilities
}

async function toAgent(client: Client, tool: string, name: string) {
  const agent = await findAgent(client, name)
  const { id } = await findToolbeltItem(client, agent, tool)
  const params = { agentId: agent.id, toolbeltItemId: id }
  return (await client.call(listToolbeltCapabilities, { params })).capabilities
}
