import { redeployToolbox } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { waitArgs } from '../../follow.ts'
import { seeThrough } from './update.ts'

export const toolboxRedeploy = command(
  'redeploy',
  'Deploy DTMA of a toolbox anew, at the version that the control plane gives out; identity and tools stay',
  {
    toolbox: { type: 'positional', description: 'Name or id', required: true },
    ...waitArgs('it is over', 600),
  },
  async ({ client, args, output, signal }) => {
    const { id: toolboxId } = await findToolbox(client, args.toolbox)
    const patience = { seconds: Number(args.timeout), signal, output }
    await seeThrough(
      client,
      await client.call(redeployToolbox, { params: { toolboxId } }),
      output,
      args.wait && patience,
    )
  },
)
