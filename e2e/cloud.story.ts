import assert from 'node:assert/strict'
import {
  addToolbeltItem,
  createAgent,
  createAgentToken,
  createToolbox,
  getToolbox,
  grantToolboxAccess,
  type InstallVariant,
  listActivity,
  listProviderOptions,
  type ObservationCode,
  refreshToolboxStatus,
  removeToolbox,
  setProviderToken,
  type Toolbox,
  type ToolInstance,
} from '@agentopia/api'
import { onMachine } from '@agentopia/testbed/machines'
import type { CloudAndProduct } from './cloud.ts'
import { connectMcp, textOf } from './mcp-client.ts'
import { type Product, waitFor } from './product.ts'
import { deploy, recovered } from './settled.ts'
import type { Story } from './story.ts'

const ACTIVE_MS = 240_000
const RECOVER_MS = 150_000

export interface CloudStoryOptions {
  /** `kill -9` of the control plane at each step of the provisioning and of the end. */
  readonly kill?: boolean
  /** How DTMA is installed. */
  readonly variant?: InstallVariant
  /** With Docker installed, or bare. */
  readonly image?: 'docker-20-04' | 'debian-12-x64'
}

/**
 * The acceptance story on an emulated DigitalOcean: from an account without anything to tools that answer, through crashes,
 * to an account without anything that costs money.
 * @throws {Error} At the first step that does not hold.
 */
export async function cloudStory(
  both: CloudAndProduct,
  { step, note }: Story,
  options: CloudStoryOptions = {},
): Promise<void> {
  const { product, cloud } = both
  const { client } = product
  const { world } = cloud.emulator
  const { kill = false, variant = 'docker', image = 'docker-20-04' } = options
  const powerCut = async () => {
    await product.kill()
    await product.start()
  }

  await step('store the token of DigitalOcean: it is checked, and lacks nothing', async () => {
    const state = await client.call(setProviderToken, { body: { token: world.token } })
    assert.deepEqual([state.configured, state.missingScopes], [true, []])
  })
  const price = await step('regions, sizes with prices, and images are offered', async () => {
    const { sizes, regions, images } = await client.call(listProviderOptions, {})
    assert.ok(regions.length > 0 && images.some(({ slug }) => slug === image))
    return sizes.find(({ slug }) => slug === 's-1vcpu-2gb')!.monthlyUsd
  })
  const callsBefore = world.calls.length
  const asked = await step('ask for a droplet twice with one key: one toolbox, its price on it', async () => {
    const body = {
      provider: 'digitalocean',
      variant,
      name: 'alpha',
      region: 'fra1',
      size: 's-1vcpu-2gb',
      image,
    } as const
    const headers = { 'idempotency-key': 'story-alpha' }
    const [one, other] = await Promise.all([1, 2].map(() => client.call(createToolbox, { body }, { headers })))
    assert.equal(one?.id, other?.id)
    assert.equal(one?.placement?.monthlyUsd, price)
    return one as Toolbox
  })
  const toolboxId = asked.id
  const read = () => client.call(getToolbox, { params: { toolboxId } })

  if (kill)
    for (const status of ['provisioning', 'awaiting_heartbeat'] as const)
      await step(`kill -9 of the control plane once it is ${status}`, async () => {
        await waitFor(`it was never ${status}`, ACTIVE_MS, async () => {
          const now = await read()
          return now.status === status || now.status === 'active' ? now : undefined
        })
        await powerCut()
      })
  const active = await step('boot stages, enrolment, first heartbeat: active', () =>
    waitFor('the toolbox did not become active', ACTIVE_MS, async () => {
      const now = await read()
      if (now.status === 'error_provisioning') throw new Error(`${now.statusReason}\n${now.boot?.log}`)
      return now.status === 'active' && now.connected ? now : undefined
    }),
  )
  note(stagesOf(active, asked, world.calls.length - callsBefore))
  assert.equal(world.droplets.size, 1)
  assert.equal(world.calls.slice(callsBefore).filter((call) => call === 'POST /v2/droplets').length, 1)
  assert.equal(active.dropletId, [...world.droplets.keys()][0])
  const machine = `agentopia-droplet-${active.dropletId}`

  const [stdio, http] = await step('deploy a server over stdio and one over streamable HTTP', () =>
    Promise.all([
      deploy(client, toolboxId, 'everything', 'stdio'),
      deploy(client, toolboxId, 'everything-http', 'http'),
    ]),
  )
  const callEcho = await step('an agent gets access, a toolbelt and a token', () =>
    agentOf(product, toolboxId, stdio, http),
  )
  await step('the official MCP client calls what is allowed', async () =>
    assert.match(await callEcho('hello'), /hello/),
  )

  await step('kill -9 of DTMA on the droplet: it comes back, nothing lost', async () => {
    await onMachine(machine, ['pkill', '-9', '-f', '/dtma.cjs$'])
    await recovered(() => callEcho('after the crash of DTMA'), RECOVER_MS)
  })
  await step('the droplet is powered off by hand: refresh-status says what happened', async () => {
    await cloud.emulator.world.machines.power([...world.droplets.values()][0]!, 'off')
    await sees(product, toolboxId, ['unreachable', 'not_answering', 'stopped'])
  })
  await step('the droplet is powered on: everything is back by itself', async () => {
    await cloud.emulator.world.machines.power([...world.droplets.values()][0]!, 'on')
    await recovered(() => callEcho('after the reboot'), RECOVER_MS)
    await sees(product, toolboxId, ['reachable'])
  })
  await step('kill -9 of the control plane: nothing lost, nothing doubled', async () => {
    await powerCut()
    await recovered(() => callEcho('after the crash of the control plane'), RECOVER_MS)
    assert.equal(world.droplets.size, 1)
  })

  await step('N01 the control plane is away: a crashed tool comes back without it', async () => {
    await product.kill()
    const shell = (script: string) => onMachine(machine, ['sh', '-c', script])
    const find = `docker ps -q --no-trunc --filter label=dtma.instance=${stdio.id}`
    const started = () => shell(`docker inspect --format '{{.State.Pid}}' $(${find})`).catch(() => '')
    const before = await started()
    await shell(`kill -9 ${Number(before)}`)
    await waitFor('the tool was not repaired', RECOVER_MS, async () => {
      const now = await started()
      return now !== '' && now !== '0' && now !== before ? now : undefined
    })
    await product.start()
    await recovered(() => callEcho('after the absence of the control plane'), RECOVER_MS)
  })

  await step('ask for its end; the first delete is answered, and ignored', async () => {
    cloud.emulator.knobs.deletesIgnored = 1
    await client.call(removeToolbox, { params: { toolboxId }, query: { confirm: 'alpha' } })
    if (kill) await powerCut()
  })
  await step('deprovisioned: no droplet is left, its history is', async () => {
    await waitFor('the toolbox was not deprovisioned', RECOVER_MS, async () =>
      (await read()).status === 'deprovisioned' ? true : undefined,
    )
    assert.equal(world.droplets.size, 0)
    const { items } = await client.call(listActivity, { query: { toolboxId } })
    const actions = items.map(({ action }) => action)
    for (const action of ['toolbox.created', 'toolbox.enrolled', 'toolbox.active', 'toolbox.deprovisioned'])
      assert.ok(actions.includes(action), `${action} is on record`)
  })
}

/** What the boot took, as the machine itself told it. */
function stagesOf(active: Toolbox, asked: Toolbox, calls: number): string {
  const since = (at: string) => ((Date.parse(at) - Date.parse(asked.createdAt)) / 1_000).toFixed(1)
  const stages = (active.boot?.stages ?? []).map(({ stage, at }) => `${stage} ${since(at)} s`)
  const all = ((Date.parse(active.statusSince) - Date.parse(asked.createdAt)) / 1_000).toFixed(1)
  return `${stages.join(', ')}, active ${all} s; ${calls} API calls; one droplet`
}

async function agentOf({ client }: Product, toolboxId: string, stdio: ToolInstance, http: ToolInstance) {
  const { id: agentId } = await client.call(createAgent, { body: { name: 'storyteller' } })
  await client.call(grantToolboxAccess, { params: { agentId, toolboxId } })
  for (const [{ id: instanceId }, allow] of [
    [stdio, ['echo']],
    [http, ['get-sum']],
  ] as const)
    await client.call(addToolbeltItem, { params: { agentId }, body: { instanceId, allow: [...allow] } })
  const { secret, mcpUrl } = await client.call(createAgentToken, { params: { agentId }, body: { name: 'story' } })
  return async (message: string): Promise<string> => {
    const mcp = await connectMcp(mcpUrl, secret)
    try {
      const names = (await mcp.listTools()).tools.map(({ name }) => name).sort()
      assert.deepEqual(names, ['http__get-sum', 'stdio__echo'])
      return textOf(await mcp.callTool({ name: 'stdio__echo', arguments: { message } }))
    } finally {
      await mcp.close()
    }
  }
}

const sees = ({ client }: Product, toolboxId: string, codes: readonly ObservationCode[]) =>
  waitFor(`refresh-status says none of ${codes.join(', ')}`, RECOVER_MS, async () => {
    const { observation } = await client.call(refreshToolboxStatus, { params: { toolboxId } })
    return codes.includes(observation.code) ? observation : undefined
  })
