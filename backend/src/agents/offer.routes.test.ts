import type { ToolbeltItem, ToolInstance } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CURATED } from '../catalog/curated.ts'
import { type As, furnish, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { agentTools, instances } from '../store/schema/index.ts'
import { storeAgentOffer } from '../tools/offer.store.ts'

// What people see of a tool that each agent has a container of: of one agent its own, and with no agent in question all of it.

const key = { key: 'apiKey', title: 'API key', required: false, target: { env: 'API_KEY' } } as const
const OPTIONAL = { ...CURATED[0]!, id: 'own', secrets: [key] }

let plane: TestControlPlane
let operator: As
let stranger: As
let ids: Awaited<ReturnType<typeof furnish>>['ids']
let items: { readonly agentId: string; readonly id: string }[]
beforeEach(async () => {
  plane = await openTestControlPlane()
  const { userId, ...as } = await signedIn(plane, 'account_home', 'operator')
  operator = as
  stranger = await signedIn(plane, 'account_away', 'owner')
  ids = (await furnish(plane.store, 'account_home', userId)).ids
  await plane.store.system((tx) =>
    tx.update(instances).set({ toolId: 'brave-search' }).where(eq(instances.id, ids.instanceId)),
  )
  items = [{ agentId: ids.agentId, id: ids.toolbeltItemId }]
  const { id: agentId } = await ask<{ id: string }>('POST', '/api/agents', { name: 'second' })
  await ask('PUT', `/api/agents/${agentId}/toolboxes/${ids.toolboxId}`)
  const { id } = await ask<ToolbeltItem>('POST', `/api/agents/${agentId}/toolbelt`, { instanceId: ids.instanceId })
  items.push({ agentId, id })
})
afterEach(() => plane.close())

async function ask<Answer>(method: string, path: string, body?: unknown, as: As = operator): Promise<Answer> {
  const answer = body === undefined ? await plane.request(method, path, as) : await plane.send(method, path, as, body)
  const text = await answer.text()
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}
const capability = (name: string, description = name): Capability => ({
  name,
  description,
  inputSchema: { type: 'object', title: description },
  digest: `${name}: ${description}`,
})
const offer = (item: number, ...capabilities: Capability[]) =>
  plane.store.system(async (tx) => {
    const [row] = await tx.select().from(instances).where(eq(instances.id, ids.instanceId))
    const agent = { name: 'an agent', itemId: items[item]!.id }
    await storeAgentOffer(tx, row!, agent, { capabilities, digest: JSON.stringify(capabilities) })
  })
const pathOf = (item: number) => `/api/agents/${items[item]!.agentId}/toolbelt/${items[item]!.id}`
const beltOf = async (item: number) =>
  (await ask<{ items: ToolbeltItem[] }>('GET', `/api/agents/${items[item]!.agentId}/toolbelt`)).items[0]!
const capabilitiesOf = (item: number, as?: As) => ask('GET', `${pathOf(item)}/capabilities`, undefined, as)
const place = () => `/api/toolboxes/${ids.toolboxId}/tools/${ids.instanceId}`

test('each agent is shown the definitions of its own container, and the tool what any of them is offered', async () => {
  await offer(0, capability('find', 'finds'), capability('read'))
  await offer(1, capability('find', 'finds and keeps'))
  expect(await capabilitiesOf(0)).toEqual({
    offer: 'own',
    capabilities: [capability('find', 'finds'), capability('read')],
  })
  expect(await capabilitiesOf(1)).toEqual({ offer: 'own', capabilities: [capability('find', 'finds and keeps')] })
  expect((await beltOf(1)).permissions.map((one) => [one.capability, one.description])).toEqual([
    ['find', 'finds and keeps'],
  ])
  expect(await ask('GET', `${place()}/capabilities`)).toEqual({
    perAgent: true,
    capabilities: [capability('find', 'finds and keeps'), capability('read')],
  })
  expect((await ask<ToolInstance>('GET', place())).capabilityCount).toBe(2)
  const { items: listed } = await ask<{ items: ToolInstance[] }>('GET', `/api/toolboxes/${ids.toolboxId}/tools`)
  expect(listed.map(({ capabilityCount }) => capabilityCount)).toEqual([2])
})

test('an agent whose container was not asked is shown what others are offered, and warned of it', async () => {
  await offer(0, capability('find'))
  const allowed = await ask<ToolbeltItem>('PATCH', pathOf(1), { allow: ['find'] })
  expect(allowed).toMatchObject({
    offer: 'awaited',
    permissions: [{ capability: 'find', allowed: true, offered: true }],
  })
  expect(await capabilitiesOf(1)).toEqual({ offer: 'awaited', capabilities: [capability('find')] })
  const flow = await ask<{ outward: string[] }>('GET', `/api/agents/${items[1]!.agentId}/data-flow`)
  expect(flow.outward).toEqual(['demo__find'])
  // What was shown is what was allowed: another definition of its own container is a change, which somebody has to look at.
  await offer(1, capability('find', 'finds more'))
  expect(await beltOf(1)).toMatchObject({ offer: 'own', permissions: [{ capability: 'find', allowed: true }] })
  expect((await beltOf(1)).permissions[0]).toHaveProperty('changed')
})

test('a tool that all agents share says so, to each of them and of itself', async () => {
  await plane.store.system((tx) =>
    tx
      .update(instances)
      .set({ toolId: 'everything', capabilities: [capability('echo')], capabilityDigest: 'd1' })
      .where(eq(instances.id, ids.instanceId)),
  )
  const shared = { offer: 'shared', capabilities: [capability('echo')] }
  expect([await capabilitiesOf(0), await capabilitiesOf(1)]).toEqual([shared, shared])
  expect(await ask('GET', `${place()}/capabilities`)).toEqual({
    perAgent: false,
    digest: 'd1',
    capabilities: [capability('echo')],
  })
})

test('T02 what an agent is offered is found by its own account, at its own item, alone', async () => {
  await offer(0, capability('find'))
  expect(await capabilitiesOf(0, stranger)).toMatchObject({ status: 404, code: 'agent-not-found' })
  const astray = `/api/agents/${items[1]!.agentId}/toolbelt/${items[0]!.id}/capabilities`
  expect(await ask('GET', astray)).toMatchObject({ status: 404, code: 'toolbelt-item-not-found' })
})

test('where no secret has to be given, its own container is asked as soon as an agent has the tool', async () => {
  const wanted = () => plane.store.system((tx) => tx.select().from(agentTools))
  expect(await wanted()).toEqual([])
  const instanceId = newId('inst')
  await plane.store.system(async (tx) => {
    const [row] = await tx.select().from(instances).where(eq(instances.id, ids.instanceId))
    await tx.insert(instances).values({ ...row!, id: instanceId, name: 'free', toolId: 'own', recipe: OPTIONAL })
  })
  await ask('POST', `/api/agents/${items[1]!.agentId}/toolbelt`, { instanceId })
  expect((await wanted()).map(({ id }) => id)).toEqual([`${instanceId}-${items[1]!.agentId}`])
})
