import { restartInstance, startInstance, stopInstance } from '@agentopia/api'
import { command } from '../../command.ts'
import { findInstance } from '../../find.ts'
import { PLACE } from './place.ts'

const lifecycle = (
  verb: string,
  description: string,
  op: typeof startInstance | typeof stopInstance | typeof restartInstance,
) =>
  command(verb, description, PLACE, async ({ client, args, output }) => {
    const { toolboxId, id } = await findInstance(client, args.tool)
    const asked = await client.call(op, { params: { toolboxId, instanceId: id } })
    output.result(
      asked,
      (one) => `${one.name}: asked to be ${one.desired} (generation ${one.generation}); now ${one.state}`,
    )
  })

export const toolStart = lifecycle('start', 'Ask for a tool to run', startInstance)
export const toolStop = lifecycle('stop', 'Ask for a tool to stop', stopInstance)
export const toolRestart = lifecycle('restart', 'Replace the container of a tool by a new one', restartInstance)
