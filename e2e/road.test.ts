import { once } from 'node:events'
import { createConnection } from 'node:net'
import {
  addToolbeltItem,
  changeToolboxRoad,
  createAgent,
  createAgentToken,
  createJoinLine,
  createToolbox,
  deployTool,
  getInstance,
  getToolbox,
  grantToolboxAccess,
  listActivity,
  type RoadWanted,
  updateAgent,
} from '@agentopia/api'
import {
  bridgeAddress,
  buildMachineImages,
  onMachine,
  removeMachine,
  startMachine,
  untilBooted,
} from '@agentopia/testbed/machines'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runAgentopia } from './command-line.ts'
import { docker } from './docker.ts'
import { connectMcp, textOf } from './mcp-client.ts'
import { openPortsOf, SSHD } from './open-ports.ts'
import { freePort, type Product, startProduct, waitFor } from './product.ts'

// The road of a toolbox that exists: from the tunnel to the direct road and back, with a port that is shut, and with the control plane killed.

const SERVER = 'agentopia-testbed-road'
const PORT = 30_000
const SHUT = ['INPUT', '-p', 'tcp', '--dport', String(PORT), '-j', 'DROP']

let product: Product
let toolboxId: string
let instanceId: string
let address: string
let mcp: { readonly url: string; readonly secret: string }

beforeAll(async () => {
  await buildMachineImages()
  const port = await freePort()
  await removeMachine(SERVER)
  await startMachine({
    name: SERVER,
    image: 'agentopia-testbed:docker',
    network: 'bridge',
    memoryMb: 1_024,
    label: 'agentopia-testbed=road',
  })
  product = await startProduct({
    PORT: String(port),
    HOST: '0.0.0.0',
    PUBLIC_URL: `http://${await bridgeAddress()}:${port}`,
    LOCAL_TOOLBOX: 'off',
    DIRECT_ADDRESSES: 'private',
  })
  await untilBooted(SERVER, 60_000)
  address = await docker('inspect', '--format', '{{.NetworkSettings.Networks.bridge.IPAddress}}', SERVER)
  toolboxId = (await product.client.call(createToolbox, { body: { provider: 'join', name: 'server' } })).id
  const { line } = await product.client.call(createJoinLine, { params: { toolboxId } })
  await onMachine(SERVER, ['sh', '-s'], `cd /root && ${line}\n`)
  await until('the server is active', toolbox, ({ status, connected }) => status === 'active' && connected)

  const body = { toolId: 'everything', name: 'demo', config: {} }
  instanceId = (await product.client.call(deployTool, { params: { toolboxId }, body })).id
  const instance = () => product.client.call(getInstance, { params: { toolboxId, instanceId } })
  await until('the tool runs', instance, ({ state }) => state === 'running', 180_000)
  const { id: agentId } = await product.client.call(createAgent, { body: { name: 'caller' } })
  const params = { agentId }
  await product.client.call(updateAgent, { params, body: { limits: { perMinute: null } } })
  await product.client.call(grantToolboxAccess, { params: { agentId, toolboxId } })
  const allow = ['echo', 'trigger-long-running-operation']
  await product.client.call(addToolbeltItem, { params: { agentId }, body: { instanceId, allow } })
  const token = await product.client.call(createAgentToken, { params: { agentId }, body: { name: 'e2e' } })
  mcp = { url: token.mcpUrl, secret: token.secret }
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await removeMachine(SERVER)
})

const toolbox = () => product.client.call(getToolbox, { params: { toolboxId } })
const until = <Seen>(what: string, look: () => Promise<Seen>, good: (seen: Seen) => boolean, ms = 90_000) =>
  waitFor(`not so within ${ms} ms: ${what}`, ms, async () => {
    const seen = await look()
    return good(seen) ? seen : undefined
  })
const ask = (body: RoadWanted) => product.client.call(changeToolboxRoad, { params: { toolboxId }, body })
const over = () =>
  until('the change of the road is over', toolbox, ({ roadChange }) => /done|failed/.test(roadChange?.phase ?? ''))
const logOfDtma = () => onMachine(SERVER, ['docker', 'logs', `agentopia-dtma-${toolboxId}`])
const startOf = async (name: string) => {
  const [container] = (await onMachine(SERVER, ['docker', 'ps', '-q', '--filter', `name=${name}`])).split('\n')
  return onMachine(SERVER, ['docker', 'inspect', '--format', '{{.State.StartedAt}}', container!])
}

async function called(name: string, args: Record<string, unknown>): Promise<string> {
  const client = await connectMcp(mcp.url, mcp.secret)
  try {
    return textOf(await client.callTool({ name: `demo__${name}`, arguments: args }))
  } finally {
    await client.close()
  }
}
const echoed = (message: string) => called('echo', { message })

/** Calls one after the other, until it is stopped. @returns How many were answered, and what the others said. */
function calling() {
  let isOver = false
  const failures: string[] = []
  let answered = 0
  const work = (async () => {
    const client = await connectMcp(mcp.url, mcp.secret)
    try {
      while (!isOver) {
        const message = `call ${answered}`
        const said = await client.callTool({ name: 'demo__echo', arguments: { message } }).then(textOf, String)
        if (said.includes(message)) answered += 1
        else failures.push(said)
      }
    } finally {
      await client.close()
    }
  })()
  return async () => {
    isOver = true
    await work
    return { answered, failures }
  }
}
/** Whether DTMA's port is open to the network of its machine. */
async function isPortOpen(): Promise<boolean> {
  const socket = createConnection({ host: address, port: PORT })
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
    return false
  } finally {
    socket.destroy()
  }
}

test('a port that is shut leaves the tunnel, and the command says where it was tried and what to do', async () => {
  const before = await startOf(`dtma-${instanceId}`)
  await onMachine(SERVER, ['iptables', '-I', ...SHUT])
  const changing = runAgentopia(product, ['toolbox', 'road', 'server', '--to', 'direct', '--address', address])
  await until('it is tried', toolbox, ({ roadChange }) => roadChange?.phase === 'trying')
  expect(await echoed('while it is tried')).toContain('while it is tried')
  const { code, stderr } = await changing
  expect(code).not.toBe(0)
  expect(stderr).toContain(`direct road to ${address}, port ${PORT}`)
  expect(stderr).toContain(`Open port ${PORT}`)
  await onMachine(SERVER, ['iptables', '-D', ...SHUT])
  const { direct, roadChange } = await toolbox()
  expect([direct, roadChange?.phase, roadChange?.reason]).toEqual([undefined, 'failed', 'no_connection'])
  expect(await echoed('by the tunnel still')).toContain('by the tunnel still')
  expect(await isPortOpen()).toBe(false)
  expect(await startOf(`dtma-${instanceId}`)).toBe(before)
})

test('to the direct road: a call that is under way ends, the next one goes by it, and no tunnel is left', async () => {
  const before = [await startOf(`dtma-${instanceId}`), await startOf('agentopia-dtma')]
  const stopCalling = calling()
  const long = called('trigger-long-running-operation', { duration: 6, steps: 3 })
  const { code, stdout, stderr } = await runAgentopia(product, [
    ...['toolbox', 'road', 'server', '--to', 'direct', '--address', address],
  ])
  expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('direct road'), expect.any(String)])
  expect(await long).toContain('completed')
  const { answered, failures } = await stopCalling()
  expect([answered > 20, failures]).toEqual([true, []])
  expect(await echoed('over https')).toContain('over https')
  expect((await toolbox()).direct).toEqual({ address, port: PORT, plainHttp: false })
  expect(await openPortsOf(address)).toEqual([SSHD, PORT])
  expect(product.output()).toMatch(/tunnel closed/)
  expect([await startOf(`dtma-${instanceId}`), await startOf('agentopia-dtma')]).toEqual(before)
})

test('it is the same after DTMA was killed', async () => {
  await onMachine(SERVER, ['docker', 'restart', '--time', '0', `agentopia-dtma-${toolboxId}`])
  await until(
    'it answers again',
    () => echoed('after its start').catch(String),
    (text) => text.includes('after its start'),
  )
  expect(await logOfDtma()).toContain('DTMA_ROAD says how it began')
  expect(await isPortOpen()).toBe(true)
})

test('back to the tunnel, with the control plane killed in the middle: it goes on, and the port is shut in the end', async () => {
  const before = await startOf(`dtma-${instanceId}`)
  await ask({ road: 'tunnel' })
  await product.kill()
  await product.start()
  const { direct, roadChange } = await over()
  expect([direct, roadChange?.phase]).toEqual([undefined, 'done'])
  expect(await echoed('by the tunnel again')).toContain('by the tunnel again')
  expect(await isPortOpen()).toBe(false)
  expect(await startOf(`dtma-${instanceId}`)).toBe(before)
})

test('killed while a shut port is tried, whoever goes on finds it open and changes the road', async () => {
  await onMachine(SERVER, ['iptables', '-I', ...SHUT])
  await ask({ road: 'direct', address })
  await until('it is tried', toolbox, ({ roadChange }) => roadChange?.phase === 'trying')
  await product.kill()
  await onMachine(SERVER, ['iptables', '-D', ...SHUT])
  await product.start()
  expect((await over()).roadChange?.phase).toBe('done')
  expect(await echoed('after both')).toContain('after both')
  const { items } = await product.client.call(listActivity, { query: { limit: 50 } })
  const ends = items.map(({ action }) => action).filter((action) => action.startsWith('toolbox.road-'))
  expect(ends.toReversed()).toEqual([
    'toolbox.road-kept',
    'toolbox.road-changed',
    'toolbox.road-changed',
    'toolbox.road-changed',
  ])
})
