import {
  changeToolboxRoad,
  createToolbox,
  getToolbox,
  listActivity,
  setProviderToken,
  type Toolbox,
  updateAgent,
} from '@agentopia/api'
import { guardsOf } from '@agentopia/testbed/emulator'
import { bridgeAddress, onMachine } from '@agentopia/testbed/machines'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NewAgent, newAgent } from './agent.ts'
import { calling } from './calling.ts'
import { type CloudAndProduct, startWithCloud } from './cloud.ts'
import { runAgentopia } from './command-line.ts'
import { callOnce } from './mcp-client.ts'
import { opens } from './open-ports.ts'
import { connected, deploy, until } from './settled.ts'

// The road of a droplet: the firewall of its cloud, which stands before it, is opened for the direct road and shut after it.

const PORT = 30_000
const PLACED = { provider: 'digitalocean', region: 'fra1', size: 's-1vcpu-1gb', image: 'docker-20-04' } as const
const ACTIVE_MS = 300_000
/** Longer than a trial of a road and its undoing. */
const CHANGED_MS = 90_000

let both: CloudAndProduct
let toolboxId: string
let instanceId: string
let agent: NewAgent
let machine: string
let address: string

beforeAll(async () => {
  both = await startWithCloud({ DIRECT_ADDRESSES: 'private' })
  const { client } = both.product
  await client.call(setProviderToken, { body: { token: both.cloud.emulator.world.token } })
  toolboxId = (await client.call(createToolbox, { body: { ...PLACED, name: 'alpha' } })).id
  const active = await connected(client, toolboxId, ACTIVE_MS)
  machine = `agentopia-droplet-${active.dropletId}`
  address = active.publicIpAddress!
  instanceId = (await deploy(client, toolboxId, 'everything', 'demo')).id
  agent = await newAgent(client, { toolboxId, instanceId, allow: ['echo'] })
  await client.call(updateAgent, { params: { agentId: agent.agentId }, body: { limits: { perMinute: null } } })
})
afterAll(() => both?.[Symbol.asyncDispose]())

const toolbox = () => both.product.client.call(getToolbox, { params: { toolboxId } })
const isSo = (what: string, good: (seen: Toolbox) => boolean) => until(what, toolbox, good, CHANGED_MS)
const echoed = (message: string) => callOnce(agent, 'demo__echo', { message })
/** What the cloud lets in to the droplet. */
const openings = () => guardsOf(both.cloud.emulator.world).map(({ openings: all }) => all)
/** Whether DTMA's port opens: to the control plane, and to whoever else is on the machine of the control plane. */
const openTo = async () => [await opens(address, PORT), await opens(address, PORT, await bridgeAddress())]
/** Of DTMA, as the droplet itself sees it: behind the firewall. */
const listens = async () =>
  (await onMachine(machine, ['sh', '-c', `ss -Hltn 'sport = :${PORT}' | awk '{ print $4 }'`])).split('\n')
const startOf = (name: string) =>
  onMachine(machine, [
    ...['sh', '-c', `docker inspect --format '{{.State.StartedAt}}' $(docker ps -q --filter name=${name})`],
  ])

test('by the tunnel nothing comes in to a droplet, neither to DTMA nor through its firewall', async () => {
  expect(await echoed('by the tunnel')).toContain('by the tunnel')
  expect([openings(), await openTo()]).toEqual([[[]], [false, false]])
})

test('to the direct road: its firewall lets in the control plane alone, no call fails, and no tunnel is left', async () => {
  const before = [await startOf(`dtma-${instanceId}`), await startOf('agentopia-dtma')]
  const stopCalling = calling(agent, 'demo__echo')
  const { code, stdout, stderr } = await runAgentopia(both.product, ['toolbox', 'road', 'alpha', '--to', 'direct'])
  expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('direct road'), expect.any(String)])
  const { answered, failures } = await stopCalling()
  expect([answered > 20, failures]).toEqual([true, []])
  expect((await toolbox()).direct).toEqual({ port: PORT, plainHttp: false })
  expect(openings()).toEqual([[{ protocol: 'tcp', ports: String(PORT), sources: [both.cloud.gateway] }]])
  expect(await openTo()).toEqual([true, false])
  expect(await echoed('over https')).toContain('over https')
  expect(both.product.output()).toMatch(/tunnel closed/)
  expect([await startOf(`dtma-${instanceId}`), await startOf('agentopia-dtma')]).toEqual(before)
})

test('back to the tunnel, with the control plane killed in the middle: the rule is gone, and the port is shut', async () => {
  const { client } = both.product
  await client.call(changeToolboxRoad, { params: { toolboxId }, body: { road: 'tunnel' } })
  await isSo('the tunnel is in use, and the port open still', ({ roadChange }) => roadChange?.phase === 'closing')
  expect(openings().flat()).toHaveLength(1)
  await both.product.kill()
  await both.product.start()
  const { direct, roadChange } = await isSo('it is over', (seen) => /done|failed/.test(seen.roadChange?.phase ?? ''))
  expect([direct, roadChange?.phase]).toEqual([undefined, 'done'])
  expect([openings(), await openTo()]).toEqual([[[]], [false, false]])
  expect(await listens()).not.toContain(`0.0.0.0:${PORT}`)
  expect(await echoed('by the tunnel again')).toContain('by the tunnel again')
  const { items } = await client.call(listActivity, { query: { toolboxId, limit: 100 } })
  const told = items.filter(({ action }) => action.startsWith('toolbox.road-')).map(({ message }) => message)
  expect(told).toEqual([
    expect.stringMatching(/^alpha is reached by the tunnel now, asked for by [^.]*$/),
    expect.stringMatching(/^alpha is reached by the direct road now, asked for by [^.]*$/),
  ])
})
