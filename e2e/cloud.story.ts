import assert from 'node:assert/strict'
import {
  addToolbeltItem,
  createAgent,
  createAgentToken,
  createToolbox,
  deployTool,
  getCredential,
  getInstance,
  getToolbox,
  grantToolboxAccess,
  type InstallVariant,
  listActivity,
  listAgents,
  listCalls,
  listInstances,
  listProviderOptions,
  listToolbelt,
  listToolboxes,
  type ObservationCode,
  putCredential,
  refreshToolboxStatus,
  removeToolbox,
  rotateToolboxKeys,
  setProviderToken,
  type ToolboxStatus,
  updateToolbeltItem,
  updateToolbox,
  verifyCalls,
} from '@agentopia/api'
import { dumpOf } from '@agentopia/backend/testing'
import { addKeyed, keyed, newAccount, ONCE, sealedOf, stagesOf } from './cloud.story.parts.ts'
import type { CloudAndReleases } from './cloud.ts'
import { dropletMachine } from './droplet-machine.ts'
import { beat, keysOn } from './dtma-keys.ts'
import { BROKEN } from './given-out.ts'
import { underKills } from './kills.ts'
import { type Product, waitFor } from './product.ts'
import { connected, dropletActed, everyPage, recovered, running, until } from './settled.ts'
import type { Story } from './story.ts'
import { createStoryteller } from './storyteller.ts'

const ACTIVE_MS = 240_000
const RECOVER_MS = 150_000
const UPDATE_MS = 240_000

export interface CloudStoryOptions {
  /** `kill -9` of the control plane in every step. */
  readonly kill?: boolean
  /** How DTMA is installed. */
  readonly variant?: InstallVariant
  /** With Docker installed, or bare. */
  readonly image?: 'docker-20-04' | 'debian-12-x64'
}

/**
 * The acceptance story, on an emulated DigitalOcean with real machines: from an account with nothing to tools that answer with an
 * agent's secret, through everything that may break, to an account with nothing that costs money or opens anything.
 * @throws {Error} At the first step that does not hold.
 */
export async function cloudStory(both: CloudAndReleases, story: Story, options: CloudStoryOptions = {}): Promise<void> {
  const { product, cloud } = both
  const { client } = product
  const { world } = cloud.emulator
  const { kill = false, variant = 'docker', image = 'docker-20-04' } = options
  const { note } = story
  const told = kill ? underKills(story, product) : story

  /** What there is so far, each once. */
  const ours: Record<'toolboxes' | 'instances' | 'agents', string[]> = { toolboxes: [], instances: [], agents: [] }
  /** How often a droplet was asked for, after the rights of the token were tried. */
  let callsBefore = Number.POSITIVE_INFINITY
  const made = () => world.calls.slice(callsBefore).filter((call) => call === 'POST /v2/droplets').length
  /** Nothing was lost, and nothing was doubled. */
  async function whole(): Promise<void> {
    const [toolboxId] = ours.toolboxes
    if (toolboxId === undefined) return
    const lists = [
      client.call(listToolboxes, { query: {} }),
      client.call(listInstances, { params: { toolboxId }, query: {} }),
      client.call(listAgents, { query: {} }),
    ]
    const ids = (await Promise.all(lists)).map(({ items }) => items.map(({ id }) => id).sort())
    assert.deepEqual(ids, [ours.toolboxes, ours.instances, ours.agents])
    assert.ok(world.droplets.size <= 1)
    assert.ok(made() <= 1)
  }
  const step: Story['step'] = (what, act, halfway) =>
    told.step(
      what,
      async () => {
        const result = await act()
        await whole()
        return result
      },
      halfway,
    )

  await step('an account: its owner sets a password and signs in; it is empty', () => newAccount(product))
  await step('store the token of DigitalOcean: it is checked, and lacks nothing', async () => {
    const state = await client.call(setProviderToken, { body: { token: world.token } })
    assert.deepEqual([state.configured, state.missingScopes], [true, []])
  })
  const price = await step('regions, sizes with prices, and images are offered', async () => {
    const { sizes, regions, images } = await client.call(listProviderOptions, {})
    assert.ok(regions.length > 0 && images.some(({ slug }) => slug === image))
    return sizes.find(({ slug }) => slug === 's-1vcpu-2gb')!.monthlyUsd
  })

  callsBefore = world.calls.length
  const asked = await step('ask for a droplet twice with one key: one toolbox, its price on it', async () => {
    const size = 's-1vcpu-2gb'
    const body = { provider: 'digitalocean', variant, name: 'alpha', region: 'fra1', size, image } as const
    const [one, other] = await Promise.all([1, 2].map(() => client.call(createToolbox, { body }, keyed('alpha'))))
    assert.equal(one?.id, other?.id)
    assert.equal(one?.placement?.monthlyUsd, price)
    ours.toolboxes = [one!.id]
    return one!
  })
  const toolboxId = asked.id
  const params = { toolboxId }
  const read = () => client.call(getToolbox, { params })
  const is =
    (...statuses: readonly ToolboxStatus[]) =>
    async () =>
      statuses.includes((await read()).status)
  const untilIs = (...statuses: readonly ToolboxStatus[]) =>
    waitFor(`it did not become ${statuses.join(' or ')}`, ACTIVE_MS, async () => {
      const now = await read()
      if (now.status === 'error_provisioning') throw new Error(`${now.statusReason}\n${now.boot?.log}`)
      return statuses.includes(now.status) ? now : undefined
    })

  await step(
    'DigitalOcean makes the droplet, and it is powered on',
    async () => void (await untilIs('awaiting_heartbeat', 'active')),
    is('provisioning'),
  )
  const active = await step(
    'boot stages, enrolment, first heartbeat: active',
    async () => {
      await untilIs('active')
      return connected(client, toolboxId)
    },
    async () => (await read()).boot?.stages.some(({ stage }) => stage === 'image') ?? false,
  )
  note(stagesOf(active, asked, world.calls.length - callsBefore))
  assert.equal(made(), 1)
  assert.equal(active.dropletId, [...world.droplets.keys()][0])
  const droplet = world.droplets.get(active.dropletId!)!
  const machine = dropletMachine(droplet.id, toolboxId, variant)

  await step('add a tool that takes a secret: the reference server once more', () => addKeyed(product))
  const [stdio, http] = await step(
    'deploy a server over stdio, which lacks its secret, and one over HTTP',
    async () => {
      const deployed = (toolId: string, name: string) =>
        client.call(deployTool, { params, body: { toolId, name } }, keyed(name))
      const [one, other] = await Promise.all([deployed('keyed', 'stdio'), deployed('everything-http', 'http')])
      ours.instances = [one.id, other.id].sort()
      const waits = until(
        'it is ready, and lacks its secret',
        () => client.call(getInstance, { params: { toolboxId, instanceId: one.id } }),
        ({ state, reason }) => state === 'created' && reason === 'missing_credential',
        RECOVER_MS,
      )
      return Promise.all([waits, running(client, other)])
    },
    async () =>
      (await client.call(listInstances, { params, query: {} })).items.filter(({ progress }) => progress).length > 0,
  )

  const agentId = await step('register an agent', async () => {
    const { id } = await client.call(createAgent, { body: { name: 'storyteller' } }, keyed('storyteller'))
    ours.agents = [id]
    return id
  })
  await step('grant it the toolbox', async () => {
    const { toolboxIds } = await client.call(grantToolboxAccess, { params: { agentId, toolboxId } })
    assert.deepEqual(toolboxIds, [toolboxId])
  })
  const agent = await step('both tools are in its toolbelt; it has a token, and is offered nothing', async () => {
    const there = (await client.call(listToolbelt, { params: { agentId } })).items.map(({ instanceId }) => instanceId)
    for (const instanceId of [stdio.id, http.id].filter((id) => !there.includes(id)))
      await client.call(addToolbeltItem, { params: { agentId }, body: { instanceId } })
    const { items } = await client.call(listToolbelt, { params: { agentId } })
    assert.equal(items.length, 2)
    const made = await client.call(createAgentToken, { params: { agentId }, body: { name: 'story' } })
    const teller = createStoryteller({ mcpUrl: made.mcpUrl, token: made.secret })
    assert.deepEqual(await teller.listed(), [])
    const itemOf = (instanceId: string) => ({
      agentId,
      toolbeltItemId: items.find((item) => item.instanceId === instanceId)!.id,
    })
    return { ...teller, stdioItem: itemOf(stdio.id), httpItem: itemOf(http.id) }
  })
  const keyedTool = `${stdio.id}-${agentId}`

  const secrets = ['first', 'second'].map((nth) => `canary-${nth}-${crypto.randomUUID()}`)
  const store = async (value: string) => {
    await client.call(putCredential, { params: agent.stdioItem, body: { values: { apiKey: value } } })
    await until(
      'the tool has started with it',
      () => client.call(getCredential, { params: agent.stdioItem }),
      ({ state }) => state === 'valid',
      RECOVER_MS,
    )
  }
  await step('store a secret: it is tried, and the tool starts with it', async () => {
    await store(secrets[0]!)
    assert.equal((await sealedOf(product, toolboxId)).credentials, 1)
  })
  await step('allow one capability of each, and leave the others denied', async () => {
    const allow = (item: typeof agent.stdioItem, capability: string) =>
      client.call(updateToolbeltItem, { params: item, body: { allow: [capability] } })
    const changed = [await allow(agent.stdioItem, 'get-env'), await allow(agent.httpItem, 'echo')]
    for (const { permissions } of changed) assert.ok(permissions.filter(({ allowed }) => !allowed).length > 1)
    assert.deepEqual(await agent.listed(), ['http__echo', 'stdio__get-env'])
  })

  /** Both tools answer, the one with the secret that was stored last: the gateway knows it, and takes it out of the answer. */
  async function answers(): Promise<string> {
    const message = crypto.randomUUID()
    assert.match(await agent.call('http__echo', { message }), new RegExp(message))
    const { STORY_KEY } = JSON.parse(await agent.call('stdio__get-env', {})) as Record<string, string>
    assert.equal(STORY_KEY, '[redacted: own-secret]')
    return message
  }
  const answersAgain = () => recovered(answers, RECOVER_MS)

  await step('the official MCP client calls what is allowed, and the secret is used', async () => {
    await (kill ? answersAgain() : answers())
    const { items } = await client.call(listCalls, { query: { agentId } })
    assert.ok(items.some(({ secretsSeen }) => secretsSeen?.includes('result:own-secret')))
  })
  await step('it calls what is denied: refused', async () => {
    await agent.refused('http__get-sum', { a: 40, b: 2 })
    await agent.refused('stdio__echo', { message: 'denied' })
  })

  await step('kill -9 of the container of each tool: they recover', async () => {
    await machine.crashTools(keyedTool, http.id)
    await answersAgain()
  })
  await step('kill -9 of DTMA on the droplet: it comes back, nothing lost', async () => {
    await machine.crashDtma()
    await answersAgain()
  })
  await step(
    'DTMA is killed, and stays away: unresponsive',
    async () => {
      await machine.keepDtmaAway()
      await untilIs('unresponsive')
    },
    is('unresponsive'), // before that, a control plane that has just started would give it five minutes
  )
  await step('DTMA is started: active, nothing lost', async () => {
    await machine.startDtma()
    await connected(client, toolboxId, RECOVER_MS)
    await answersAgain()
  })
  await step('the droplet is powered off by hand: refresh-status says what happened', async () => {
    await cloud.emulator.world.machines.power(droplet, 'off')
    await sees(product, toolboxId, ['unreachable', 'not_answering', 'stopped'])
  })
  await step('the droplet is powered on: everything is back by itself', async () => {
    await cloud.emulator.world.machines.power(droplet, 'on')
    await answersAgain()
    await sees(product, toolboxId, ['reachable'])
  })
  const bootedBefore = await machine.bootedAt()
  await step('reboot the droplet: everything is back by itself', async () => {
    await dropletActed(client, toolboxId, { kind: 'reboot' }, 'story-reboot')
    assert.notEqual(await machine.bootedAt(), bootedBefore)
    await answersAgain()
    await sees(product, toolboxId, ['reachable'])
  })

  const broken = '99.0.0'
  await story.step('the control plane is started again, and gives out a DTMA that is broken', async () => {
    await both.giveOut(broken, BROKEN)
    await connected(client, toolboxId, RECOVER_MS)
  })
  await step(
    'update to the broken DTMA: it falls back, and nothing is lost',
    async () => {
      if ((await read()).update?.version !== broken) await client.call(updateToolbox, { params })
      const { update } = await until(
        'the update is over',
        read,
        ({ update }) => ['done', 'fell_back', 'failed', 'refused', 'unanswered'].includes(update?.phase ?? ''),
        UPDATE_MS,
      )
      assert.deepEqual([update?.phase, update?.reason], ['fell_back', 'crash_loop'], update?.message)
      assert.equal((await connected(client, toolboxId)).dtmaVersion, active.dtmaVersion)
      await answersAgain()
    },
    async () => (await read()).update?.phase === 'loading',
  )

  const keysBefore = await keysOn(machine.name)
  await step('rotate the keys of DTMA: the ones before open nothing', async () => {
    if (!(await read()).keyRotation) await client.call(rotateToolboxKeys, { params })
    await until('the keys are rotated', read, ({ keyRotation }) => keyRotation?.phase === 'done')
    const keys = await until(
      'DTMA has other keys',
      () => keysOn(machine.name),
      ({ privateKey }) => privateKey !== keysBefore.privateKey,
    )
    assert.notEqual(keys.backendToDtmaApiKey, keysBefore.backendToDtmaApiKey)
    assert.equal(await beat(product, keysBefore.dtmaBearerToken), 401)
    await connected(client, toolboxId)
    await answersAgain()
  })
  await step('rotate the secret: the tool answers with the new one', async () => {
    await store(secrets[1]!)
    await answersAgain()
  })
  await story.step('kill -9 of the control plane: nothing lost, nothing doubled', async () => {
    await product.kill()
    await product.start()
    await answersAgain()
    await whole()
  })
  await story.step('N01 the control plane is away: crashed tools come back without it', async () => {
    await product.kill()
    await machine.crashTools(keyedTool, http.id)
    await product.start()
    await answersAgain()
    await whole()
  })

  const callRecords = () => everyPage((query) => client.call(listCalls, { query: { ...query, agentId } }))
  const recordsHold = async () => {
    assert.deepEqual(agent.wrongIn(await callRecords()), [])
    assert.equal((await client.call(verifyCalls, { query: {} })).intact, true)
  }
  await step('each call is on record once, and the chain of records is whole', recordsHold)

  const keysAtTheEnd = await keysOn(machine.name)
  await step('ask for its end; the first delete is answered, and ignored', async () => {
    cloud.emulator.knobs.deletesIgnored = 1
    await client.call(removeToolbox, { params, query: { confirm: 'alpha' } })
    ours.toolboxes = []
  })
  await step(
    'deprovisioned: no droplet is left, and its keys open nothing',
    async () => {
      await untilIs('deprovisioned')
      assert.equal(world.droplets.size, 0)
      assert.equal(await beat(product, keysAtTheEnd.dtmaBearerToken), 401)
      assert.deepEqual((await client.call(listToolboxes, { query: {} })).items, [])
      assert.deepEqual((await client.call(listToolbelt, { params: { agentId } })).items, [])
    },
    is('deprovisioning'),
  )
  await step('no secret is left', async () => {
    assert.deepEqual(await sealedOf(product, toolboxId), { credentials: 0, keyOfDtma: null })
    const everywhere = `${await dumpOf(product.dataDir)}\n${product.output()}`
    assert.ok(everywhere.includes(toolboxId))
    const keys = [keysBefore, keysAtTheEnd].flatMap((each) => [each.backendToDtmaApiKey, each.dtmaBearerToken])
    const sown = [...secrets, ...keys]
    assert.deepEqual(
      sown.filter((secret) => everywhere.includes(secret)),
      [],
    )
  })
  await step('its history is left, whole', async () => {
    const items = await everyPage((query) => client.call(listActivity, { query: { ...query, toolboxId } }))
    const times = (action: string) => items.filter((item) => item.action === action).length
    assert.deepEqual(Object.fromEntries(Object.keys(ONCE).map((action) => [action, times(action)])), ONCE)
    for (const action of ['toolbox.droplet', 'toolbox.active', 'toolbox.unresponsive', 'credential.valid'])
      assert.ok(times(action) > 0, `${action} is on record`)
    await recordsHold()
  })
}

const sees = ({ client }: Product, toolboxId: string, codes: readonly ObservationCode[]) =>
  waitFor(`refresh-status says none of ${codes.join(', ')}`, RECOVER_MS, async () => {
    const { observation } = await client.call(refreshToolboxStatus, { params: { toolboxId } })
    return codes.includes(observation.code) ? observation : undefined
  })
