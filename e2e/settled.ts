import {
  type Client,
  type DropletAction,
  deployTool,
  getInstance,
  getToolbox,
  listDropletActions,
  listToolboxes,
  type NewDropletAction,
  removeInstance,
  startDropletAction,
  type Toolbox,
  type ToolInstance,
} from '@agentopia/api'
import { docker } from './docker.ts'
import { waitFor } from './product.ts'

const DEPLOY_MS = 300_000
const RECOVER_MS = 90_000
const ACTED_MS = 300_000

/** The toolbox that is first active and connected: its first heartbeat comes before its tunnel. @throws {Error} When none becomes so. */
export const activeToolbox = (client: Client): Promise<Toolbox> =>
  waitFor('no toolbox became active', RECOVER_MS, async () =>
    (await client.call(listToolboxes, { query: {} })).items.find(
      ({ status, connected }) => status === 'active' && connected,
    ),
  )

/** All of a list, page after page. */
export async function everyPage<Item>(
  read: (query: { readonly limit: number; readonly cursor?: string }) => Promise<{
    readonly items: readonly Item[]
    readonly nextCursor?: string | undefined
  }>,
): Promise<Item[]> {
  const items: Item[] = []
  for (let next: { cursor?: string } | undefined = {}; next; ) {
    const page = await read({ limit: 200, ...next })
    items.push(...page.items)
    next = page.nextCursor === undefined ? undefined : { cursor: page.nextCursor }
  }
  return items
}

/** Looks until it is so. @returns What was seen then. */
export const until = <Seen>(what: string, look: () => Promise<Seen>, good: (seen: Seen) => boolean, ms = 60_000) =>
  waitFor(`not so within ${ms} ms: ${what}`, ms, async () => {
    const seen = await look()
    return good(seen) ? seen : undefined
  })

/** The toolbox once it is active and connected. */
export const connected = (client: Client, toolboxId: string, withinMs = 60_000): Promise<Toolbox> =>
  until(
    `${toolboxId} is active and connected`,
    () => client.call(getToolbox, { params: { toolboxId } }),
    (toolbox) => toolbox.status === 'active' && toolbox.connected,
    withinMs,
  )

/** Deploys a tool of the catalogue and waits for it. */
export async function deploy(
  client: Client,
  toolboxId: string,
  toolId: string,
  name: string,
  withinMs = DEPLOY_MS,
): Promise<ToolInstance> {
  const made = await client.call(deployTool, { params: { toolboxId }, body: { toolId, name } })
  return running(client, made, withinMs)
}

/** The instance once it runs and says what it offers. @throws {Error} When it is blocked, or does not in time. */
export const running = (
  client: Client,
  { toolboxId, id: instanceId, name }: ToolInstance,
  withinMs = DEPLOY_MS,
): Promise<ToolInstance> =>
  waitFor(`${name} is not running`, withinMs, async () => {
    const instance = await client.call(getInstance, { params: { toolboxId, instanceId } })
    if (instance.state === 'blocked') throw new Error(`${name} is blocked: ${instance.message}`)
    return instance.state === 'running' && instance.capabilityCount !== undefined ? instance : undefined
  })

/**
 * Asks for something to be done with the droplet of a toolbox.
 * @param key Asked again with the same one, nothing is done again.
 * @returns The action once it has ended. @throws {Error} When it fails.
 */
export async function dropletActed(
  client: Client,
  toolboxId: string,
  body: NewDropletAction,
  key: string = crypto.randomUUID(),
): Promise<DropletAction> {
  const params = { toolboxId }
  const { id } = await client.call(startDropletAction, { params, body }, { headers: { 'idempotency-key': key } })
  return waitFor(`${body.kind} did not end`, ACTED_MS, async () => {
    const { items } = await client.call(listDropletActions, { params, query: {} })
    const action = items.find((one) => one.id === id)
    if (action?.state === 'failed') throw new Error(action.message)
    return action?.state === 'done' ? action : undefined
  })
}

/** Calls until there is an answer: refusals on the way are what a client sees during a restart. */
export async function recovered(call: () => Promise<string>, withinMs = RECOVER_MS): Promise<void> {
  let last: unknown
  await waitFor('no call was answered', withinMs, async () => {
    try {
      return await call()
    } catch (error) {
      last = error
      return undefined
    }
  }).catch((error: Error) => {
    throw new Error(error.message, { cause: last })
  })
}

const GONE_MS = 180_000

/** Removes an instance; returns when no container of it is left on this machine, those of agents among them. */
export async function removeWithContainers(
  client: Client,
  { toolboxId, id: instanceId }: Pick<ToolInstance, 'toolboxId' | 'id'>,
): Promise<void> {
  await client.call(removeInstance, { params: { toolboxId, instanceId }, query: { force: 'true' } })
  await waitFor('the containers were not removed', GONE_MS, async () => {
    const left = await docker('ps', '--all', '--quiet', '--filter', `name=dtma-${instanceId}`)
    return left === '' ? true : undefined
  })
}
