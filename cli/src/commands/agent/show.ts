import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { facts } from '../../output.ts'
import { AGENT } from './name.ts'

export const agentShow = command('show', 'Show one agent', AGENT, async ({ client, args, output }) => {
  output.result(await findAgent(client, args.agent), (agent) =>
    facts([
      ['name', agent.name],
      ['id', agent.id],
      ['description', agent.description],
      ['enabled', agent.enabled],
      ['toolboxes', agent.toolboxIds.join(', ')],
      ['toolbelt', agent.toolbeltSize],
      ['last call', agent.lastCallAt],
    ]),
  )
})
