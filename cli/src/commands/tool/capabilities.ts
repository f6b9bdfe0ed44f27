import { listCapabilities } from '@agentopia/api'
import { command } from '../../command.ts'
import { findInstance } from '../../find.ts'
import { table } from '../../output.ts'
import { PLACE } from './place.ts'

export const toolCapabilities = command(
  'capabilities',
  'What a deployed tool offers',
  PLACE,
  async ({ client, args, output }) => {
    const { toolboxId, id } = await findInstance(client, args.tool)
    const { capabilities } = await client.call(listCapabilities, { params: { toolboxId, instanceId: id } })
    output.result(capabilities, (all) =>
      table(
        ['capability', 'description'],
        all.map((one) => [one.name, one.description]),
      ),
    )
  },
)
