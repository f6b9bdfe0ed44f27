import { type Client, deployTool, getInstance, listToolboxes, type Toolbox, type ToolInstance } from '@agentopia/api'
import { waitFor } from './product.ts'

const DEPLOY_MS = 300_000
const RECOVER_MS = 90_000

/** The toolbox that is active first. @throws {Error} When none becomes so. */
export const activeToolbox = (client: Client): Promise<Toolbox> =>
  waitFor('no toolbox became active', RECOVER_MS, async () =>
    (await client.call(listToolboxes, { query: {} })).items.find(({ status }) => status === 'active'),
  )

/** Deploys a tool of the catalogue and waits for it. */
export async function deploy(client: Client, toolboxId: string, toolId: string, name: string): Promise<ToolInstance> {
  const made = await client.call(deployTool, { params: { toolboxId }, body: { toolId, name } })
  return running(client, made)
}

/** The instance once it runs and says what it offers. @throws {Error} When it is blocked, or does not in time. */
export const running = (client: Client, { toolboxId, id: instanceId, name }: ToolInstance): Promise<ToolInstance> =>
  waitFor(`${name} is not running`, DEPLOY_MS, async () => {
    const instance = await client.call(getInstance, { params: { toolboxId, instanceId } })
    if (instance.state === 'blocked') throw new Error(`${name} is blocked: ${instance.message}`)
    return instance.state === 'running' && instance.capabilityCount !== undefined ? instance : undefined
  })

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
