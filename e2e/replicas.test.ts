import {
  createClient,
  createJoinLine,
  createToolbox,
  listAgentTokens,
  revokeAgentToken,
  type ToolInstance,
} from '@agentopia/api'
import { bridgeAddress, removeMachine } from '@agentopia/testbed/machines'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NewAgent, newAgent } from './agent.ts'
import { openBalancer } from './balancer.ts'
import { callOnce } from './mcp-client.ts'
import { ownPostgres } from './own-postgres.ts'
import { freePort, type Product, startProduct, waitFor } from './product.ts'
import { paste, startServer } from './server.ts'
import { connected, deploy, recovered } from './settled.ts'

// Two control planes on one PostgreSQL behind a load balancer, and a server that is a toolbox of both.

const SERVER = 'agentopia-testbed-replicas'

interface Replica {
  readonly product: Product
  /** It alone, without the load balancer. */
  readonly url: string
}

let postgres: Awaited<ReturnType<typeof ownPostgres>>
let balancer: Awaited<ReturnType<typeof openBalancer>>
let replicas: Replica[]
let toolboxId: string
let instance: ToolInstance
let agent: NewAgent

beforeAll(async () => {
  const ports = [await freePort(), await freePort()]
  ;[postgres, balancer] = await Promise.all([ownPostgres(), openBalancer(await bridgeAddress(), ports)])
  const shared = {
    DATABASE_URL: postgres.url,
    MASTER_KEY: Buffer.alloc(32, 9).toString('base64'),
    PUBLIC_URL: balancer.url,
    LOCAL_TOOLBOX: 'off',
  }
  replicas = []
  for (const port of ports) {
    const REPLICA_ADDRESS = `127.0.0.1:${await freePort()}`
    const product = await startProduct({ ...shared, PORT: String(port), REPLICA_ADDRESS })
    replicas.push({ product, url: `http://127.0.0.1:${port}` })
  }
  await startServer(SERVER)
})
afterAll(async () => {
  for (const { product } of replicas) await product[Symbol.asyncDispose]()
  await balancer[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
  await removeMachine(SERVER)
})

const clientOf = ({ url, product }: Replica) => createClient({ baseUrl: url, token: product.token })

/** A call of the agent at this one. */
async function say({ url }: Replica, message: string): Promise<string> {
  const said = await callOnce({ mcpUrl: `${url}/mcp`, token: agent.token }, `${instance.name}__echo`, { message })
  if (!said.includes(message)) throw new Error(said)
  return said
}

/** Who holds the tunnel, and who does not: the one that said last that it is open. */
function byTunnel(): [Replica, Replica] {
  const at = ({ product }: Replica) =>
    Math.max(
      0,
      ...[...product.output().matchAll(/"time":(?:"([^"]+)"|(\d+))[^\n]*tunnel open/g)].map(([, iso, ms]) =>
        iso ? Date.parse(iso) : Number(ms),
      ),
    )
  const [one, other] = replicas as [Replica, Replica]
  return at(one) > at(other) ? [one, other] : [other, one]
}

test('a server that joins by the load balancer is a toolbox of both', async () => {
  const { client } = replicas[0]!.product
  toolboxId = (await client.call(createToolbox, { body: { provider: 'join', name: 'shared' } })).id
  const { line } = await client.call(createJoinLine, { params: { toolboxId } })
  await paste(SERVER, line)
  for (const replica of replicas) await connected(clientOf(replica), toolboxId)
})

test('a tool that one deploys is called by both', async () => {
  const [holder, other] = byTunnel()
  instance = await deploy(clientOf(other), toolboxId, 'everything', 'demo')
  agent = await newAgent(clientOf(holder), { toolboxId, instanceId: instance.id, allow: ['echo'] })
  for (const replica of replicas) expect(await say(replica, 'hello')).toContain('hello')
})

test('R06 the one that holds the tunnel is killed: the other goes on, and so do both when it is back', async () => {
  const [holder, other] = byTunnel()
  await holder.product.kill()
  await recovered(() => say(other, 'alone'), 30_000)
  expect(byTunnel()[0]).toBe(other)
  await holder.product.start()
  await recovered(() => say(holder, 'together'), 30_000)
  expect(await say(other, 'together')).toContain('together')
})

test('what is revoked at one is refused by the other', async () => {
  const [one, other] = replicas as [Replica, Replica]
  expect(await say(other, 'before')).toContain('before')
  const client = clientOf(one)
  const { items } = await client.call(listAgentTokens, { params: { agentId: agent.agentId } })
  await client.call(revokeAgentToken, { params: { agentId: agent.agentId, tokenId: items[0]!.id } })
  await waitFor('it is not refused', 10_000, () =>
    say(other, 'after').then(
      () => undefined,
      (error: Error) => /unauthori[sz]ed|401|token/i.test(String(error)) || undefined,
    ),
  )
})
