import { problem, redeployToolbox } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { FAILED, lineOf, untilOver } from './update.ts'

export const toolboxRedeploy = command(
  'redeploy',
  'Deploy DTMA of a toolbox anew, at the version that the control plane gives out; identity and tools stay',
  {
    toolbox: { type: 'positional', description: 'Name or id', required: true },
    wait: {
      type: 'boolean',
      description: 'Wait until it is over',
      default: true,
      negativeDescription: 'Return as soon as it is recorded',
    },
    timeout: { type: 'string', description: 'Seconds to wait', default: '600' },
  },
  async ({ client, args, output, signal }) => {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(Number(args.timeout) * 1_000)])
    const { id: toolboxId } = await findToolbox(client, args.toolbox)
    const asked = await client.call(redeployToolbox, { params: { toolboxId } })
    const now = args.wait ? await untilOver(client, asked, output, deadline) : asked
    output.result(now, () => lineOf(now))
    if (FAILED.has(now.update?.phase ?? '')) throw problem('update-failed', `${now.name}: ${now.update?.message}`)
  },
)
