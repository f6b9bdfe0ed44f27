import { command } from '../../command.ts'
import { allAgents } from '../../find.ts'
import { table } from '../../output.ts'

export const agentList = command('list', 'List the agents', {}, async ({ client, output }) => {
  output.result(await allAgents(client), (agents) =>
    table(
      ['name', 'enabled', 'toolbelt', 'last call', 'id'],
      agents.map((agent) => [agent.name, agent.enabled ? 'on' : 'off', agent.toolbeltSize, agent.lastCallAt, agent.id]),
    ),
  )
})
