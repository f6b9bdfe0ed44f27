import {
  deployTool,
  executeCapability,
  getInstance,
  listCalls,
  listInstances,
  removeInstance,
  type Toolbox,
} from '@agentopia/api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newAgent } from './agent.ts'
import { containersOf, crash, dtmaContainerOf } from './docker.ts'
import { type Product, startProduct, waitFor } from './product.ts'
import { activeToolbox } from './settled.ts'

const SETTLE_MS = 180_000
let product: Product
let toolbox: Toolbox

beforeAll(async () => {
  product = await startProduct()
  toolbox = await activeToolbox(product.client)
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

const deploy = (name: string) =>
  product.client.call(deployTool, { params: { toolboxId: toolbox.id }, body: { toolId: 'everything', name } })

const running = (instanceId: string) =>
  waitFor('the tool is not running', SETTLE_MS, async () => {
    const params = { toolboxId: toolbox.id, instanceId }
    const instance = await product.client.call(getInstance, { params }).catch(() => undefined)
    return instance?.state === 'running' && instance.capabilityCount !== undefined ? instance : undefined
  })

async function remove(instanceId: string): Promise<void> {
  const params = { toolboxId: toolbox.id, instanceId }
  await product.client.call(removeInstance, { params, query: { force: 'true' } })
  await waitFor('the tool was not removed', SETTLE_MS, async () => {
    const { items } = await product.client.call(listInstances, { params: { toolboxId: toolbox.id }, query: {} })
    return items.some(({ id }) => id === instanceId) ? undefined : true
  })
  expect(await containersOf(instanceId)).toEqual([])
}

/** Milliseconds after the request at which somebody pulls the plug. */
const MOMENTS = [0, 250, 2_000]

describe('kill -9 while a tool is deployed', () => {
  it.each(MOMENTS)('of the control plane after %i ms: the tool runs once, as it was asked for', async (ms) => {
    const { id } = await deploy(`plane-${ms}`)
    await new Promise((resolve) => setTimeout(resolve, ms))
    await product.kill()
    await product.start()
    await running(id)
    expect(await containersOf(id)).toHaveLength(1)
    await remove(id)
  })

  it.each(MOMENTS)('of DTMA after %i ms: the tool runs once, as it was asked for', async (ms) => {
    const { id } = await deploy(`dtma-${ms}`)
    await new Promise((resolve) => setTimeout(resolve, ms))
    await crash(dtmaContainerOf(toolbox.id))
    await running(id)
    expect(await containersOf(id)).toHaveLength(1)
    await remove(id)
  })

  it('of the control plane while a tool is removed: it is gone after the restart', async () => {
    const { id } = await deploy('leaving')
    await running(id)
    const params = { toolboxId: toolbox.id, instanceId: id }
    await product.client.call(removeInstance, { params, query: { force: 'true' } })
    await product.kill()
    await product.start()
    await waitFor('the tool was not removed', SETTLE_MS, async () => {
      const { items } = await product.client.call(listInstances, { params: { toolboxId: toolbox.id }, query: {} })
      return items.length === 0 ? true : undefined
    })
    expect(await containersOf(id)).toEqual([])
  })
})

describe('kill -9 of the control plane under calls', () => {
  it('loses no call that was answered', async () => {
    const { id } = await deploy('busy')
    await running(id)
    const busy = { name: 'busy', toolboxId: toolbox.id, instanceId: id, allow: ['echo'] }
    const { agentId, itemId: toolbeltItemId } = await newAgent(product.client, busy)
    const answered: string[] = []
    const call = async () => {
      const { callId } = await product.client.call(executeCapability, {
        params: { agentId, toolbeltItemId },
        body: { capability: 'echo', arguments: { message: 'on record' } },
      })
      answered.push(callId)
    }
    const calls = Array.from({ length: 40 }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, n * 10))
      await call().catch(() => {}) // whoever was not answered knows that
    })
    await waitFor('no call was answered', 30_000, () => (answered.length >= 10 ? true : undefined))
    await product.kill()
    await Promise.all(calls)
    const kept = [...answered]
    await product.start()
    await waitFor('an answered call is not on record', 30_000, async () => {
      const { items } = await product.client.call(listCalls, { query: { agentId, limit: 200 } })
      const ids = new Set(items.map(({ id: callId }) => callId))
      return kept.every((callId) => ids.has(callId)) ? true : undefined
    })
    await remove(id)
  })
})

describe('the control plane is stopped in order', () => {
  it('answers the call that is under way', async () => {
    const { id } = await deploy('patient')
    await running(id)
    const capability = 'trigger-long-running-operation'
    const patient = { name: 'patient', toolboxId: toolbox.id, instanceId: id, allow: [capability] }
    const { agentId, itemId: toolbeltItemId } = await newAgent(product.client, patient)
    const call = product.client.call(executeCapability, {
      params: { agentId, toolbeltItemId },
      body: { capability, arguments: { duration: 3, steps: 3 } },
    })
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(await product.stop()).toBe(0)
    expect(JSON.stringify(await call)).toContain('completed')
    await product.start()
    await remove(id)
  })
})
