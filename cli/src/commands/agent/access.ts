import { grantToolboxAccess, revokeToolboxAccess } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findToolbox } from '../../find.ts'
import { warn } from '../toolbelt/warn.ts'
import { AGENT } from './name.ts'

const access = (verb: string, description: string, op: typeof grantToolboxAccess | typeof revokeToolboxAccess) =>
  command(
    verb,
    description,
    { ...AGENT, toolbox: { type: 'positional', description: 'Name or id of the toolbox', required: true } },
    async ({ client, args, output }) => {
      const [agent, toolbox] = [await findAgent(client, args.agent), await findToolbox(client, args.toolbox)]
      const changed = await client.call(op, { params: { agentId: agent.id, toolboxId: toolbox.id } })
      if ('warnings' in changed) warn(output, changed.warnings)
      output.result(changed, (one) => `${one.name} may use ${one.toolboxIds.length} toolbox(es)`)
    },
  )

export const agentGrant = access('grant', 'Let an agent use a toolbox', grantToolboxAccess)
export const agentRevoke = access(
  'revoke',
  'Take a toolbox from an agent, with its toolbelt items there',
  revokeToolboxAccess,
)
