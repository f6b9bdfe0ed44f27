import { removeInstance } from '@agentopia/api'
import { command } from '../../command.ts'
import { findInstance } from '../../find.ts'
import { PLACE } from './place.ts'

export const toolRemove = command(
  'remove',
  'Remove a tool, its container and its state',
  { ...PLACE, force: { type: 'boolean', description: 'Also take it out of every toolbelt', default: false } },
  async ({ client, args, output }) => {
    const { toolboxId, id } = await findInstance(client, args.tool)
    output.result(
      await client.call(removeInstance, {
        params: { toolboxId, instanceId: id },
        query: { force: String(args.force) },
      }),
      (one) => `${one.name} is being removed`,
    )
  },
)
