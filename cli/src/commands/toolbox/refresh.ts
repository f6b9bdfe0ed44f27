import { refreshToolboxStatus } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { facts } from '../../output.ts'

export const toolboxRefresh = command(
  'refresh',
  'Look at a toolbox now and say what was seen',
  { toolbox: { type: 'positional', description: 'Name or id', required: true } },
  async ({ client, args, output }) => {
    const { id } = await findToolbox(client, args.toolbox)
    output.result(await client.call(refreshToolboxStatus, { params: { toolboxId: id } }), ({ toolbox, observation }) =>
      facts([
        ['status', toolbox.status],
        ['observation', observation.code],
        ['', observation.summary],
        ...observation.evidence.map((line): [string, string] => ['evidence', line]),
        ['next step', observation.nextStep],
        ['since', observation.since],
      ]),
    )
  },
)
