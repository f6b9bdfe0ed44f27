import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  callCapability,
  deleteTool,
  followEvents,
  getStatus,
  getTool,
  putTool,
  startTool,
  stopTool,
} from '../contract/operations.ts'
import { ToolSpec } from '../contract/tool.ts'
import { type DtmaProcess, until } from '../dtma-process.testing.ts'
import { gatewayNameOf } from '../egress/gateway.ts'
import { scriptContainer } from '../egress/script-container.ts'
import type { PrivateDocker } from '../private-docker.testing.ts'
import { type PrivateDtma, privateDtma } from '../private-dtma.testing.ts'
import { serverProgram } from '../tools/mcp-server.testing.ts'
import { readTable, removeTable, tableNameOf } from './firewall.rules.ts'
import { kernelLineNameOf } from './kernel-line.ts'
import { NETLINK_SCRIPT } from './netlink.script.ts'
import { datagram, FLAG, repliesIn } from './netlink.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const never = new AbortController().signal
let rig: PrivateDtma
let machine: PrivateDocker
let dtma: DtmaProcess
let spec: ToolSpec
let owner: string
/** Events, as DTMA streams them. */
const heard: string[] = []

beforeAll(async () => {
  rig = await privateDtma({ program: serverProgram('firewall') })
  ;({ machine, dtma } = rig)
  const { body } = await dtma.client.open(followEvents, {})
  void body!
    .pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write: (text) => void heard.push(text) }))
    .catch(() => undefined) // it ends with DTMA
  spec = ToolSpec.parse({
    package: rig.image.package,
    transport: { type: 'stdio' },
    egress: [{ host: 'api.example.com', port: 443 }],
  })
  await put('mail')
  await until(async () => (await tool('mail')).state === 'running', 60_000)
  const [container] = await machine.docker.listContainers('dtma.instance=mail', never)
  owner = container!.Labels['dtma.owner']!
})
afterAll(() => rig?.[Symbol.asyncDispose]())

const put = (name: string) => dtma.client.call(putTool, { params: { name }, body: { generation: 1, spec } })
const tool = (name: string) => dtma.client.call(getTool, { params: { name } })
const firewall = async () => (await dtma.client.call(getStatus, {})).docker.isolation?.firewall
const call = (name: string) =>
  dtma.client.call(callCapability, { params: { name }, body: { capability: 'version', arguments: {} } })

/** Asks the kernel in the place of whoever has the machine, DTMA not being asked. */
async function kernel(question: Buffer) {
  const line = 'printf "%s\\n" "$1" | perl -e "$2"'
  const { stdout } = (await machine.inside('sh', ['-c', line, 'sh', question.toString('hex'), NETLINK_SCRIPT])) as {
    stdout: string
  }
  return repliesIn(Buffer.from(stdout.trim(), 'hex'))
}
const rules = (): Promise<string> => readTable(tableNameOf(owner), kernel)
/** `nft flush ruleset`, as a reload of the machine's own firewall does: the tables of everybody go. */
const flush = () =>
  kernel(
    datagram([
      { type: 16, flags: FLAG.request, family: 0, resource: 10 },
      { type: 0xa02, flags: FLAG.request | FLAG.ack, family: 0 },
      { type: 17, flags: FLAG.request, family: 0, resource: 10 },
    ]),
  )

/** The name that DTMA's container to the kernel must have is taken, and the present one is killed: no rule can be set. */
async function obstruct(): Promise<() => Promise<void>> {
  const name = kernelLineNameOf(owner)
  await machine.docker.removeContainer(name, never)
  const body = scriptContainer({ image: BASE, owner: 'somebody', network: 'none', script: '0' })
  let id: string | undefined
  // DTMA may be quicker: it makes a new one as soon as it looks.
  await until(async () => {
    id = await machine.docker.createContainer(name, body, never).catch(async (error: unknown) => {
      await machine.docker.removeContainer(name, never)
      throw error
    })
    return true
  }, 10_000)
  return () => machine.docker.removeContainer(id!, never)
}

test('S17: rules that are flushed are back within 60 s; it is on record, and the tool never stops', async () => {
  const before = await tool('mail')
  await expect.poll(rules, { timeout: 30_000 }).not.toBe('')
  await expect.poll(firewall).toMatchObject({ state: 'ok' })
  // Docker's own tool for its rules does not reach ours.
  await machine.inside('iptables', ['-F'])
  expect(await rules()).not.toBe('')
  // DTMA may look in between, and have them back before we have looked.
  await until(async () => {
    await flush()
    return (await rules()) === ''
  }, 60_000)
  await expect.poll(rules, { timeout: 60_000 }).not.toBe('')
  await expect
    .poll(() => heard.join(''), { timeout: 10_000 })
    .toMatch(/firewall missing.*taken away.*firewall restored/s)
  expect(await tool('mail')).toEqual(before)
  expect(JSON.stringify(await call('mail'))).toContain('firewall')
})

test('S17: a start looks for itself: no tool runs for a moment without the rules', async () => {
  await dtma.client.call(stopTool, { params: { name: 'mail' } })
  await expect.poll(() => tool('mail'), { timeout: 30_000 }).toMatchObject({ state: 'exited' })
  await flush()
  await dtma.client.call(startTool, { params: { name: 'mail' } })
  await expect.poll(() => tool('mail'), { timeout: 30_000 }).toMatchObject({ state: 'running' })
  expect(await rules()).not.toBe('')
})

test('S17: without its own rules Docker makes no network: a new tool waits, says so, and goes on when Docker was restarted', async () => {
  await flush()
  await put('new')
  await expect
    .poll(() => tool('new'), { timeout: 30_000 })
    .toMatchObject({
      state: 'blocked',
      reason: 'isolation_failed',
      message: expect.stringContaining('Restart Docker'),
    })
  await machine.kill()
  await machine.start({ liveRestore: true })
  await expect.poll(() => tool('new'), { timeout: 60_000 }).toMatchObject({ state: 'running' })
})

test('S17: while the rules cannot be restored the toolbox is degraded, runs on and starts nothing; then it does, by itself', async () => {
  const before = await tool('mail')
  const clear = await obstruct()
  try {
    await kernel(removeTable(tableNameOf(owner)))
    await put('late')
    await expect
      .poll(() => tool('late'), { timeout: 60_000 })
      .toMatchObject({
        state: 'blocked',
        reason: 'isolation_failed',
        message: expect.stringContaining('cannot be restored'),
      })
    await expect.poll(firewall, { timeout: 10_000 }).toMatchObject({
      state: 'missing',
      since: expect.any(String),
      message: expect.stringContaining(kernelLineNameOf(owner)),
    })
    expect(await tool('mail')).toEqual(before)
    expect(JSON.stringify(await call('mail'))).toContain('firewall')
  } finally {
    await clear()
  }
  await expect.poll(() => tool('late'), { timeout: 30_000 }).toMatchObject({ state: 'running' })
  expect(await firewall()).toMatchObject({ state: 'ok' })
  expect(await rules()).not.toBe('')
})

test('S17: by none of its addresses does the machine answer the gateway, nor by those that its interface gave itself', async () => {
  await expect.poll(firewall, { timeout: 30_000 }).toMatchObject({ state: 'ok' })
  const { stdout } = (await machine.inside('ip', ['-o', 'address', 'show', 'docker0'])) as { stdout: string }
  const addresses = [...stdout.matchAll(/inet6? ([^/]+)\//g)].map(([, address = '']) =>
    address.startsWith('fe80') ? `${address}%eth0` : address,
  )
  expect(addresses.filter((address) => address.startsWith('fe80'))).not.toEqual([])
  // Nobody listens there: a machine that answers refuses.
  const dial = `for (const host of ${JSON.stringify(addresses)}) {
    const socket = require('node:net').connect({ host, port: 9 }, () => console.log('connected'))
    const deadline = setTimeout(() => socket.destroy(new Error('silence')), 4000)
    socket.on('error', ({ code, message }) => { clearTimeout(deadline); console.log(code ?? message) })
  }`
  const docker = (...args: string[]) =>
    machine.inside('docker', ['-H', `unix://${machine.socketPath}`, ...args]) as Promise<{ stdout: string }>
  const heardBy = async (container: string) =>
    (await docker('exec', container, 'node', '-e', dial)).stdout.trim().split('\n')
  // Whom the rules do not mean is answered: so it is they that make it silent.
  await docker('run', '--detach', '--name', 'neighbour', '--entrypoint', 'sleep', BASE, '600')
  await expect.poll(() => heardBy('neighbour'), { timeout: 60_000 }).toEqual(addresses.map(() => 'ECONNREFUSED'))
  expect(await heardBy(gatewayNameOf(owner))).toEqual(addresses.map(() => 'silence'))
})

test('the last tool with a network takes the rules and what made them along', async () => {
  for (const name of ['mail', 'new', 'late']) await dtma.client.call(deleteTool, { params: { name } })
  await expect.poll(rules, { timeout: 30_000 }).toBe('')
  await expect
    .poll(() => machine.docker.inspectContainer(kernelLineNameOf(owner), never), { timeout: 10_000 })
    .toBeUndefined()
  expect(await firewall()).toBeUndefined()
})
