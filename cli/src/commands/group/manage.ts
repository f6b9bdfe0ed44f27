import { removeGroup } from '@agentopia/api'
import { command } from '../../command.ts'
import { allToolboxes, findToolbox } from '../../find.ts'
import { table } from '../../output.ts'
import { groupText } from './describe.ts'
import { allGroups, findGroup, GROUP } from './find.ts'

export const groupList = command(
  'list',
  'List the groups of tools',
  { toolbox: { type: 'string', description: 'Of one toolbox only' } },
  async ({ client, args, output }) => {
    const toolboxes = args.toolbox ? [await findToolbox(client, args.toolbox)] : await allToolboxes(client)
    const places = await Promise.all(
      toolboxes.map(async ({ id, name }) =>
        (await allGroups(client, id)).map((group) => ({ toolbox: name, ...group })),
      ),
    )
    output.result(places.flat(), (all) =>
      table(
        ['group', 'state', 'tools', 'id'],
        all.map((one) => [
          `${one.toolbox}/${one.name}`,
          one.state,
          one.members.map(({ name }) => name).join(', '),
          one.id,
        ]),
      ),
    )
  },
)

export const groupShow = command('show', 'Show one group', GROUP, async ({ client, args, output }) =>
  output.result(await findGroup(client, args.group), groupText),
)

export const groupRemove = command(
  'remove',
  'Remove a group: its tools with what they keep, in the reverse order',
  { ...GROUP, force: { type: 'boolean', description: 'Also take its tools out of every toolbelt', default: false } },
  async ({ client, args, output }) => {
    const { toolboxId, id: groupId } = await findGroup(client, args.group)
    output.result(
      await client.call(removeGroup, { params: { toolboxId, groupId }, query: { force: String(args.force) } }),
      ({ name }) => `${name} is being removed`,
    )
  },
)
