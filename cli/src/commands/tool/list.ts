import { command } from '../../command.ts'
import { allInstances, allToolboxes, findToolbox } from '../../find.ts'
import { table } from '../../output.ts'

export const toolList = command(
  'list',
  'List the deployed tools',
  { toolbox: { type: 'string', description: 'Of one toolbox only' } },
  async ({ client, args, output }) => {
    const toolboxes = args.toolbox ? [await findToolbox(client, args.toolbox)] : await allToolboxes(client)
    const places = await Promise.all(
      toolboxes.map(async (toolbox) =>
        (await allInstances(client, toolbox.id)).map((instance) => ({ toolbox: toolbox.name, ...instance })),
      ),
    )
    output.result(places.flat(), (all) =>
      table(
        ['tool', 'from', 'desired', 'state', 'capabilities', 'restarts', 'id'],
        all.map((one) => [
          `${one.toolbox}/${one.name}`,
          one.toolId,
          one.desired,
          one.reason ? `${one.state} (${one.reason})` : one.state,
          one.capabilityCount,
          one.restarts,
          one.id,
        ]),
      ),
    )
  },
)
