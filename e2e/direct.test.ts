import { createJoinLine, createToolbox, getToolbox, readToolboxStatus, rotateToolboxKeys } from '@agentopia/api'
import { onMachine, removeMachine } from '@agentopia/testbed/machines'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NewAgent, newAgent } from './agent.ts'
import { callOnce } from './mcp-client.ts'
import { openPortsOf, SSHD } from './open-ports.ts'
import type { Product } from './product.ts'
import { paste, startReachable, startServer } from './server.ts'
import { connected, deploy, until } from './settled.ts'

// A server that the control plane dials: from its line to a call of an agent, a firewall that shuts, and a copy of its identity.

const SERVER = 'agentopia-testbed-direct'
const COPY = 'copy-of-dtma'

let product: Product
let toolboxId: string
let instanceId: string
let agent: NewAgent

beforeAll(async () => {
  const address = await startServer(SERVER)
  product = await startReachable({ DIRECT_ADDRESSES: 'private' })
  const body = { provider: 'join', name: 'server', direct: { address } } as const
  toolboxId = (await product.client.call(createToolbox, { body })).id
})
afterAll(async () => {
  await product[Symbol.asyncDispose]()
  await removeMachine(SERVER)
})

const pasteLine = async () => paste(SERVER, (await product.client.call(createJoinLine, { params: { toolboxId } })).line)
const toolbox = () => product.client.call(getToolbox, { params: { toolboxId } })
const observed = async () => (await product.client.call(readToolboxStatus, { params: { toolboxId } })).observation
const isActive = () => connected(product.client, toolboxId)
const startedAt = async () => {
  const [tool] = (await onMachine(SERVER, ['docker', 'ps', '-q', '--filter', `name=dtma-${instanceId}`])).split('\n')
  return onMachine(SERVER, ['docker', 'inspect', '--format', '{{.State.StartedAt}}', tool!])
}
interface IdentityFile {
  readonly privateKey: string
  readonly credentials: { readonly backendToDtmaApiKey: string }
}
const identity = async () =>
  JSON.parse(await onMachine(SERVER, ['cat', '/var/lib/agentopia/dtma/identity.json'])) as IdentityFile
const echoed = (message: string) => callOnce(agent, 'demo__echo', { message })

test('its line makes it a toolbox that is dialled by https, and nothing else is answered in the clear', async () => {
  expect(await pasteLine()).toContain(`this machine is the toolbox ${toolboxId}`)
  const { direct } = await isActive()
  const { evidence } = await until('it is reachable', observed, ({ code }) => code === 'reachable')
  expect(evidence.join()).toContain('its key is the one')
  const clear = await fetch(`http://${direct!.address}:${direct!.port}/status`)
  expect([clear.status, (await clear.json()) as object]).toEqual([
    403,
    expect.objectContaining({ code: 'tls-required' }),
  ])
  const log = await onMachine(SERVER, ['docker', 'logs', `agentopia-dtma-${toolboxId}`])
  expect(log).not.toContain('tunnel')
})

test('an agent calls a tool by it, with the official client', async () => {
  instanceId = (await deploy(product.client, toolboxId, 'everything', 'demo', 180_000)).id
  agent = await newAgent(product.client, { toolboxId, instanceId, allow: ['echo'] })
  expect(await echoed('over https')).toContain('over https')
})

test('S13 of all its ports the world finds those of its own sshd and of DTMA open, and none of a tool', async () => {
  const { direct } = await toolbox()
  expect(await openPortsOf(direct!.address!)).toEqual([SSHD, direct!.port])
})

test('a firewall that shuts is named, and what to do about it, though DTMA still reports', async () => {
  const rule = ['INPUT', '-p', 'tcp', '--dport', '30000', '-j', 'DROP']
  await onMachine(SERVER, ['iptables', '-I', ...rule])
  const seen = await until('the firewall is noticed', observed, ({ code }) => code === 'unreachable')
  expect(seen.nextStep).toContain('open its port')
  await onMachine(SERVER, ['iptables', '-D', ...rule])
  await until('it is reachable again', observed, ({ code }) => code === 'reachable')
  expect(await echoed('open again')).toContain('open again')
})

test('other keys: the pinned one moves with them, the ones before open nothing, and the tool runs on', async () => {
  const before = { started: await startedAt(), ...(await identity()) }
  await product.client.call(rotateToolboxKeys, { params: { toolboxId } })
  await until('it has other keys', toolbox, ({ keyRotation }) => keyRotation?.phase === 'done')
  await until(
    'calls are answered over the other keys',
    () => echoed('with other keys').catch(String),
    (text) => text.includes('with other keys'),
  )
  await isActive()
  const after = await identity()
  expect(after.privateKey).not.toBe(before.privateKey)
  const { direct } = await toolbox()
  const status = (key: string) =>
    onMachine(SERVER, [
      ...['curl', '-sko', '/dev/null', '-w', '%{http_code}', '-H', `authorization: Bearer ${key}`],
      `https://${direct!.address}:${direct!.port}/status`,
    ])
  expect(await status(before.credentials.backendToDtmaApiKey)).toBe('401')
  expect(await status(after.credentials.backendToDtmaApiKey)).toBe('200')
  const { evidence } = await until('it is reachable', observed, ({ code }) => code === 'reachable')
  expect(evidence.join()).toContain('its key is the one')
  expect(await startedAt()).toBe(before.started)
})

test('E09 a copy of its identity locks both out; its tool runs on; a new line makes it the toolbox again', async () => {
  const before = await startedAt()
  const image = await onMachine(SERVER, ['docker', 'inspect', '--format', '{{.Image}}', `agentopia-dtma-${toolboxId}`])
  const copied = 'cp -a /var/lib/agentopia/dtma /root/copy && rm -f /root/copy/lock* /root/copy/*.sock'
  await onMachine(SERVER, ['sh', '-c', copied])
  const env = { AGENTOPIA_API_BASE_URL: product.url, TOOLBOX_ID: toolboxId, DTMA_ROAD: 'direct', PORT: '30001' }
  await onMachine(SERVER, [
    ...['docker', 'run', '-d', '--name', COPY, '--network', 'host', '--user', '0', '-v', '/root/copy:/var/lib/dtma'],
    ...Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    image,
  ])
  const { statusReason } = await until('both are locked out', toolbox, ({ status }) => status === 'quarantined')
  expect(statusReason).toContain('Two machines')
  const logOfCopy = () => onMachine(SERVER, ['docker', 'logs', COPY])
  await until('the copy knows too, by its next heartbeat', logOfCopy, (log) => log.includes('locked out'))
  await expect(echoed('to nobody')).rejects.toThrow()
  expect(await startedAt()).toBe(before)

  expect(await pasteLine()).toContain('Done')
  await isActive()
  expect(await startedAt()).toBe(before)
  await until(
    'calls are answered again',
    () => echoed('once more').catch(String),
    (text) => text.includes('once more'),
  )
  expect((await toolbox()).status).toBe('active')
})
