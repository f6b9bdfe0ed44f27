import {
  type Agent,
  type Client,
  listAgents,
  listInstances,
  listToolbelt,
  listToolboxes,
  problem,
  type ToolbeltItem,
  type Toolbox,
  type ToolInstance,
} from '@agentopia/api'

/** People name things; the API knows ids. Both are accepted everywhere. */
const named = <Item extends { readonly id: string; readonly name: string }>(
  items: readonly Item[],
  nameOrId: string,
): Item | undefined => items.find((item) => item.id === nameOrId) ?? items.find((item) => item.name === nameOrId)

/** Every page of a list. */
export async function allPages<Item>(
  read: (cursor: string | undefined) => Promise<{ items: Item[]; nextCursor?: string | undefined }>,
): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  do {
    const page = await read(cursor)
    items.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return items
}

export const allToolboxes = (client: Client): Promise<Toolbox[]> =>
  allPages((cursor) => client.call(listToolboxes, { query: { limit: 200, cursor } }))

export const allAgents = (client: Client): Promise<Agent[]> =>
  allPages((cursor) => client.call(listAgents, { query: { limit: 200, cursor } }))

export const allInstances = (client: Client, toolboxId: string): Promise<ToolInstance[]> =>
  allPages((cursor) => client.call(listInstances, { params: { toolboxId }, query: { limit: 200, cursor } }))

export async function findToolbox(client: Client, nameOrId: string): Promise<Toolbox> {
  const found = named(await allToolboxes(client), nameOrId)
  if (!found) throw problem('toolbox-not-found', `No toolbox is called ${nameOrId}`)
  return found
}

export async function findAgent(client: Client, nameOrId: string): Promise<Agent> {
  const found = named(await allAgents(client), nameOrId)
  if (!found) throw problem('agent-not-found', `No agent is called ${nameOrId}`)
  return found
}

/** @param place `toolbox/instance`, or the instance alone when only one toolbox has one of that name. */
export async function findInstance(client: Client, place: string): Promise<ToolInstance> {
  const [first, second] = place.split('/', 2) as [string, string | undefined]
  const toolboxes = second === undefined ? await allToolboxes(client) : [await findToolbox(client, first)]
  const found: ToolInstance[] = []
  for (const toolbox of toolboxes) {
    const instance = named(await allInstances(client, toolbox.id), second ?? first)
    if (instance) found.push(instance)
  }
  if (found.length > 1) throw problem('invalid-request', `${place} is on several toolboxes; say <toolbox>/<tool>`)
  if (!found[0]) throw problem('instance-not-found', `No tool instance is called ${place}`)
  return found[0]
}

const readToolbelt = async (client: Client, { id: agentId }: Agent): Promise<ToolbeltItem[]> =>
  (await client.call(listToolbelt, { params: { agentId } })).items

export const findToolbeltItem = async (client: Client, agent: Agent, nameOrId: string): Promise<ToolbeltItem> =>
  itemOf(await readToolbelt(client, agent), agent, nameOrId)

function itemOf(items: readonly ToolbeltItem[], agent: Agent, nameOrId: string): ToolbeltItem {
  const found = items.find(
    (item) => item.id === nameOrId || item.instanceId === nameOrId || item.instanceName === nameOrId,
  )
  if (!found) throw problem('toolbelt-item-not-found', `${agent.name} has no ${nameOrId} in its toolbelt`)
  return found
}

/**
 * A capability of an agent, as its tool knows it.
 * @param name Its name at the gateway, which may be shortened or plain; or `<tool>__<capability>`. What several have at the
 *   gateway leads to none of them there.
 */
export async function findCapability(
  client: Client,
  agent: Agent,
  name: string,
): Promise<{ readonly item: ToolbeltItem; readonly capability: string }> {
  const items = await readToolbelt(client, agent)
  const [listed, ...others] = items.flatMap((item) =>
    item.permissions.filter(({ gatewayName }) => gatewayName === name).map(({ capability }) => ({ item, capability })),
  )
  if (listed && others.length === 0) return listed
  const [tool, ...rest] = name.split('__')
  if (!tool || rest.length === 0)
    throw problem('invalid-request', 'Name the capability as `toolbelt list` does, or as <tool>__<capability>')
  return { item: itemOf(items, agent, tool), capability: rest.join('__') }
}
