import { updateAgent } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { AGENT } from './name.ts'

const killSwitch = (verb: string, description: string, enabled: boolean) =>
  command(verb, description, AGENT, async ({ client, args, output }) => {
    const { id } = await findAgent(client, args.agent)
    output.result(
      await client.call(updateAgent, { params: { agentId: id }, body: { enabled } }),
      (agent) => `${agent.name} is ${agent.enabled ? 'on' : 'off'}`,
    )
  })

export const agentEnable = killSwitch('enable', 'Switch an agent on', true)
export const agentDisable = killSwitch('disable', 'Kill switch: refuse every call of an agent', false)
