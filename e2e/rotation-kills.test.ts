import {
  createJoinLine,
  createToolbox,
  getToolbox,
  listActivity,
  readToolboxStatus,
  rotateToolboxKeys,
} from '@agentopia/api'
import { bridgeAddress, onMachine, removeMachine } from '@agentopia/testbed/machines'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beat, keysOn } from './dtma-keys.ts'
import { type EnrolmentProxy, enrolmentProxy, type Moment } from './enrolment-proxy.ts'
import { freePort, type Product, startProduct, waitFor } from './product.ts'
import { paste, startServer } from './server.ts'
import { connected } from './settled.ts'

// The control plane is killed with -9 at each step of a rotation of keys, on both roads to a toolbox.

let product: Product
let proxy: EnrolmentProxy

beforeAll(async () => {
  const port = await freePort()
  proxy = await enrolmentProxy(port)
  product = await startProduct({
    PORT: String(port),
    PUBLIC_URL: `http://${await bridgeAddress()}:${proxy.port}`,
    LOCAL_TOOLBOX: 'off',
    DIRECT_ADDRESSES: 'private',
  })
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await proxy?.close()
})

describe.each(['tunnel', 'direct'] as const)(
  'kill -9 of the control plane while keys are rotated, road: %s',
  (road) => {
    const server = `agentopia-testbed-rotate-${road}`
    let toolboxId: string

    const onServer = (...args: string[]) => onMachine(server, args)
    const dtma = () => `agentopia-dtma-${toolboxId}`
    const toolbox = () => product.client.call(getToolbox, { params: { toolboxId } })
    const keys = () => keysOn(server)
    const isActive = () => connected(product.client, toolboxId, 90_000)
    const rotated = async () => {
      const { items } = await product.client.call(listActivity, { query: { toolboxId, limit: 200 } })
      return items.filter(({ action }) => action === 'toolbox.keys-rotated').length
    }

    beforeAll(async () => {
      const address = await startServer(server)
      const body = { provider: 'join', name: road, ...(road === 'direct' ? { direct: { address } } : {}) } as const
      toolboxId = (await product.client.call(createToolbox, { body })).id
      const { line } = await product.client.call(createJoinLine, { params: { toolboxId } })
      await paste(server, line)
      await isActive()
    })
    afterAll(async () => {
      proxy.mend()
      await removeMachine(server)
    })

    /** Rotates; kills the control plane when `until` has come; mends what was broken, and starts it again. */
    async function rotate(until: Promise<unknown>, mend: () => unknown): Promise<void> {
      const before = await keys()
      const [{ keyRotation: earlier }, already] = [await toolbox(), await rotated()]
      await product.client.call(rotateToolboxKeys, { params: { toolboxId } })
      await until
      await product.kill()
      await mend()
      await product.start()

      await waitFor('the keys are not rotated', 120_000, async () => {
        const { keyRotation } = await toolbox()
        return keyRotation?.phase === 'done' && keyRotation.askedAt !== earlier?.askedAt ? true : undefined
      })
      await isActive()
      const after = await waitFor('DTMA has no other keys', 60_000, async () => {
        const now = await keys()
        return now.privateKey === before.privateKey ? undefined : now
      })
      expect(after.backendToDtmaApiKey).not.toBe(before.backendToDtmaApiKey)
      expect(after.dtmaBearerToken).not.toBe(before.dtmaBearerToken)
      const { code } = await waitFor('it does not answer over the new keys', 60_000, async () => {
        const { observation } = await product.client.call(readToolboxStatus, { params: { toolboxId } })
        return observation.code === 'reachable' ? observation : undefined
      })
      expect(code).toBe('reachable')
      expect(await beat(product, before.dtmaBearerToken)).toBe(401)
      expect(await rotated()).toBe(already + 1)
    }

    it('C05 a kill while new keys are asked for, and not handed over yet: they are, after the restart', async () => {
      await onServer('docker', 'pause', dtma())
      await rotate(Promise.resolve(), () => onServer('docker', 'unpause', dtma()))
    })

    it.each<[string, Moment]>([
      ['handed over, and not enrolled with yet', 'before'],
      ['enrolled, and the reply lost: the same token is repeated with the same key', 'after'],
      ['enrolled and answered, before the first heartbeat', 'none'],
    ])('C05 a kill while the new keys are %s', async (_, where) => {
      await rotate(proxy.breakAt(where), () => proxy.mend())
    })
  },
)
