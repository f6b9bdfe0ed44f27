import { type Client, listGroups, problem, type Toolbox, type ToolGroup } from '@agentopia/api'
import { allPages, allToolboxes, findToolbox } from '../../find.ts'

/** The argument that names a group. */
export const GROUP = {
  group: { type: 'positional', description: 'Name, <toolbox>/<name> or id', required: true },
} as const

export const allGroups = (client: Client, toolboxId: string): Promise<ToolGroup[]> =>
  allPages((cursor) => client.call(listGroups, { params: { toolboxId }, query: { limit: 200, cursor } }))

/** @param place `toolbox/group`, or the group alone when only one toolbox has one of that name. */
export async function findGroup(client: Client, place: string): Promise<ToolGroup> {
  const [first, second] = place.split('/', 2) as [string, string | undefined]
  const toolboxes: Toolbox[] = second === undefined ? await allToolboxes(client) : [await findToolbox(client, first)]
  const wanted = second ?? first
  const groups = (await Promise.all(toolboxes.map(({ id }) => allGroups(client, id)))).flat()
  const found = groups.filter(({ id, name }) => id === wanted || name === wanted)
  if (found.length > 1) throw problem('invalid-request', `${place} is on several toolboxes; say <toolbox>/<group>`)
  if (!found[0]) throw problem('group-not-found', `No group is called ${place}`)
  return found[0]
}
