import { command } from '../../command.ts'
import { allToolboxes } from '../../find.ts'
import { table } from '../../output.ts'

export const toolboxList = command('list', 'List the toolboxes', {}, async ({ client, output }) => {
  output.result(await allToolboxes(client), (toolboxes) =>
    table(
      ['name', 'provider', 'status', 'tools', 'last heartbeat', 'id'],
      toolboxes.map((box) => [
        box.name,
        box.provider,
        box.suspect ? `${box.status} (suspect)` : box.status,
        `${box.toolCounts.running}/${box.toolCounts.total}`,
        box.lastHeartbeatAt,
        box.id,
      ]),
    ),
  )
})
