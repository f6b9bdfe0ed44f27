import { createJoinLine } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'

export const toolboxJoin = command(
  'join',
  'Print the line that turns a server into this toolbox, also after a quarantine; with it, those that update and uninstall',
  { toolbox: { type: 'positional', description: 'Name or id', required: true } },
  async ({ client, args, output }) => {
    const { id } = await findToolbox(client, args.toolbox)
    const join = await client.call(createJoinLine, { params: { toolboxId: id } })
    if (join.warning) output.note(join.warning)
    output.note(
      `Good until ${join.expiresAt}, once. To update later:\n  ${join.updateLine}\nTo uninstall:\n  ${join.uninstallLine}\nTo join:`,
    )
    output.result(join, ({ line }) => line)
  },
)
