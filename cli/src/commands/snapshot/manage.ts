import { listSnapshots, removeSnapshot } from '@agentopia/api'
import { command } from '../../command.ts'
import { table } from '../../output.ts'

export const snapshotList = command(
  'list',
  'List the snapshots of droplets, with what they cost',
  {},
  async ({ client, output }) => {
    const { items } = await client.call(listSnapshots, {})
    output.result(items, (snapshots) =>
      table(
        ['id', 'name', 'toolbox', 'GB', 'USD a month', 'regions', 'made'],
        snapshots.map(({ id, name, toolboxName, sizeGb, monthlyUsd, regions, createdAt }) => [
          ...[id, name, toolboxName, sizeGb, monthlyUsd, regions.join(' '), createdAt],
        ]),
      ),
    )
  },
)

export const snapshotRemove = command(
  'remove',
  'Delete a snapshot',
  { snapshot: { type: 'positional', description: 'Its id, of `agentopia snapshot list`', required: true } },
  async ({ client, args, output }) => {
    await client.call(removeSnapshot, { params: { snapshotId: args.snapshot } })
    output.result({ removed: args.snapshot }, ({ removed }) => `The snapshot ${removed} is deleted`)
  },
)
