import { listToolbelt } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { table } from '../../output.ts'
import { AGENT } from '../agent/name.ts'

export const toolbeltList = command('list', 'What an agent may use', AGENT, async ({ client, args, output }) => {
  const { id } = await findAgent(client, args.agent)
  const { items } = await client.call(listToolbelt, { params: { agentId: id } })
  output.result(items, (all) =>
    table(
      ['capability', 'allowed', 'offered', 'item'],
      all.flatMap((item) =>
        item.permissions.map((one) => [
          one.gatewayName,
          !(one.allowed && item.enabled) ? 'no' : one.changed ? 'changed' : one.ask ? 'ask' : 'yes',
          item.offer === 'awaited' ? 'awaited' : one.offered ? 'yes' : 'no',
          item.id,
        ]),
      ),
    ),
  )
})
