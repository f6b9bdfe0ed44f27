import { once } from 'node:events'
import { createConnection } from 'node:net'
import {
  changeToolboxRoad,
  createJoinLine,
  createToolbox,
  getToolbox,
  listActivity,
  type RoadWanted,
  type Toolbox,
  updateAgent,
} from '@agentopia/api'
import { onMachine, removeMachine } from '@agentopia/testbed/machines'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NewAgent, newAgent } from './agent.ts'
import { calling } from './calling.ts'
import { runAgentopia } from './command-line.ts'
import { callOnce } from './mcp-client.ts'
import { openPortsOf, SSHD } from './open-ports.ts'
import type { Product } from './product.ts'
import { paste, startReachable, startServer } from './server.ts'
import { connected, deploy, until } from './settled.ts'

// The road of a toolbox that exists: from the tunnel to the direct road and back, with a port that is shut, and with the control plane killed.

const SERVER = 'agentopia-testbed-road'
const PORT = 30_000
const SHUT = ['INPUT', '-p', 'tcp', '--dport', String(PORT), '-j', 'DROP']

let product: Product
let toolboxId: string
let instanceId: string
let address: string
let agent: NewAgent

beforeAll(async () => {
  address = await startServer(SERVER)
  product = await startReachable({ DIRECT_ADDRESSES: 'private' })
  toolboxId = (await product.client.call(createToolbox, { body: { provider: 'join', name: 'server' } })).id
  const { line } = await product.client.call(createJoinLine, { params: { toolboxId } })
  await paste(SERVER, line)
  await connected(product.client, toolboxId, SEEN_MS)

  instanceId = (await deploy(product.client, toolboxId, 'everything', 'demo', 180_000)).id
  const allow = ['echo', 'trigger-long-running-operation']
  agent = await newAgent(product.client, { toolboxId, instanceId, allow })
  const params = { agentId: agent.agentId }
  await product.client.call(updateAgent, { params, body: { limits: { perMinute: null } } })
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await removeMachine(SERVER)
})

/** Longer than a trial of a road and its undoing. */
const SEEN_MS = 90_000
const toolbox = () => product.client.call(getToolbox, { params: { toolboxId } })
const isSo = (what: string, good: (seen: Toolbox) => boolean) => until(what, toolbox, good, SEEN_MS)
const ask = (body: RoadWanted) => product.client.call(changeToolboxRoad, { params: { toolboxId }, body })
const over = () =>
  isSo('the change of the road is over', ({ roadChange }) => /done|failed/.test(roadChange?.phase ?? ''))
const logOfDtma = () => onMachine(SERVER, ['docker', 'logs', `agentopia-dtma-${toolboxId}`])
const startOf = async (name: string) => {
  const [container] = (await onMachine(SERVER, ['docker', 'ps', '-q', '--filter', `name=${name}`])).split('\n')
  return onMachine(SERVER, ['docker', 'inspect', '--format', '{{.State.StartedAt}}', container!])
}

const called = (name: string, args: Record<string, unknown>) => callOnce(agent, `demo__${name}`, args)
const echoed = (message: string) => called('echo', { message })

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
  await isSo('it is tried', ({ roadChange }) => roadChange?.phase === 'trying')
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
  const stopCalling = calling(agent, 'demo__echo')
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
    SEEN_MS,
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
  await isSo('it is tried', ({ roadChange }) => roadChange?.phase === 'trying')
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
