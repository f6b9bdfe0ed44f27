import { removeToolbox, retryToolbox } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'

const TOOLBOX = { toolbox: { type: 'positional', description: 'Name or id', required: true } } as const

export const toolboxRemove = command(
  'remove',
  'Remove a toolbox: a droplet is destroyed with all that is on it, a server is let go',
  {
    ...TOOLBOX,
    confirm: { type: 'string', description: 'Name of the toolbox once more; needed for a droplet' },
  },
  async ({ client, args, output }) => {
    const { id } = await findToolbox(client, args.toolbox)
    const { confirm } = args
    output.result(
      await client.call(removeToolbox, { params: { toolboxId: id }, query: confirm ? { confirm } : {} }),
      ({ name }) => `${name} is being removed`,
    )
  },
)

export const toolboxRetry = command(
  'retry',
  'Try a failed provisioning again, or make another droplet for one that was lost; enrol this machine itself anew after a quarantine',
  TOOLBOX,
  async ({ client, args, output }) => {
    const { id } = await findToolbox(client, args.toolbox)
    output.result(
      await client.call(retryToolbox, { params: { toolboxId: id } }),
      ({ name }) => `${name} is tried again`,
    )
  },
)
