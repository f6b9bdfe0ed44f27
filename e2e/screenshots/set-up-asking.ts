import {
  addToolbeltItem,
  createAgent,
  decideApproval,
  executeCapability,
  grantToolboxAccess,
  listApprovals,
  listToolbelt,
  updateToolbeltItem,
} from '@agentopia/api'
import { type Product, waitFor } from '../product.ts'
import { activeToolbox, deploy } from '../settled.ts'
import type { Pictured } from './set-up.ts'

/** Calls that wait until the pictures are taken. */
export interface Asking extends Pictured, AsyncDisposable {}

const CHANGE_MS = 90_000
const ASKED_MS = 30_000

/** An agent whose tool has changed, and of whose calls some wait for a person. */
export async function setUpAsking({ client }: Product): Promise<Asking> {
  const { id: toolboxId } = await activeToolbox(client)
  const instance = await deploy(client, toolboxId, 'turncoat', 'files')
  const { id: agentId } = await client.call(createAgent, { body: { name: 'research-assistant' } })
  await client.call(grantToolboxAccess, { params: { agentId, toolboxId } })
  const body = { instanceId: instance.id, allow: ['read', 'turn'] }
  const { id: toolbeltItemId } = await client.call(addToolbeltItem, { params: { agentId }, body })
  const params = { agentId, toolbeltItemId }
  const call = (capability: string, args: Record<string, unknown>) =>
    client.call(executeCapability, { params, body: { capability, arguments: args } })
  await call('turn', {})
  await client.call(updateToolbeltItem, { params, body: { ask: ['wipe'] } })
  await waitFor('the change was not seen', CHANGE_MS, async () => {
    const { items } = await client.call(listToolbelt, { params: { agentId } })
    return items[0]?.permissions.some(({ changed }) => changed) ? true : undefined
  })

  const gone = new AbortController()
  const made: Promise<unknown>[] = []
  const ask = (args: Record<string, unknown>) => {
    const waits = client.call(
      executeCapability,
      { params, body: { capability: 'wipe', arguments: args } },
      { signal: gone.signal },
    )
    made.push(waits.catch(() => {})) // it is taken back when the pictures are taken, or denied for them
  }
  const asked = (count: number) =>
    waitFor('nothing waits', ASKED_MS, async () => {
      const { items } = await client.call(listApprovals, { query: {} })
      return items.length === count ? items : undefined
    })
  const decide = async (body: { decision: 'approve' | 'deny'; reason?: string }) => {
    const [one] = await asked(1)
    await client.call(decideApproval, { params: { approvalId: one!.id }, body })
    await asked(0)
  }
  ask({ disk: 'sdb', label: 'scratch' })
  await decide({ decision: 'approve' })
  ask({ disk: 'sda', force: true })
  await decide({ decision: 'deny', reason: 'the system is on it' })
  ask({ disk: 'sdc', force: true, password: 'of nobody' })
  await asked(1)
  ask({ disk: 'sdd' })
  await asked(2)
  return {
    agentId,
    toolboxId,
    loggingInstanceId: instance.id,
    async [Symbol.asyncDispose]() {
      gone.abort()
      await Promise.all(made)
    },
  }
}
