import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent, DataFlow, FlowLabel, LabelledCapability, ToolbeltItem } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Recipe } from '../catalog/recipe.ts'
import { type As, furnish, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import type { Tx } from '../store/connect.ts'
import { capabilityPermissions, instances, toolbeltItems, toolboxes } from '../store/schema/index.ts'
import { readFlowLabels, storeFlowLabels } from './flow.store.ts'

let plane: TestControlPlane
let admin: As
let operator: As
let ids: Awaited<ReturnType<typeof furnish>>['ids']
let searchId: string

beforeEach(async () => {
  plane = await openTestControlPlane()
  const { userId, ...owner } = await signedIn(plane, 'account_home', 'admin')
  admin = owner
  operator = await signedIn(plane, 'account_home', 'operator')
  ids = (await furnish(plane.store, 'account_home', userId)).ids
  // `demo` keeps notes, and `search` searches the web: together they are all three.
  searchId = newId('inst')
  const offered = [{ name: 'find', inputSchema: {}, digest: 'd' }]
  await plane.store.system(async (tx) => {
    const [demo] = await tx
      .update(instances)
      .set({ toolId: 'memory', capabilities: offered })
      .where(eq(instances.id, ids.instanceId))
      .returning()
    await tx.insert(instances).values({ ...demo!, id: searchId, name: 'search', toolId: 'tavily' })
  })
  await plane.request('PUT', `/api/agents/${ids.agentId}/toolboxes/${ids.toolboxId}`, operator)
  await plane.send('PATCH', `${belt()}/${ids.toolbeltItemId}`, operator, { allow: ['find'] })
})
afterEach(() => plane.close())

const belt = () => `/api/agents/${ids.agentId}/toolbelt`
const add = () => plane.send('POST', belt(), operator, { instanceId: searchId, allow: ['find'] })
const flow = async () =>
  (await (await plane.request('GET', `/api/agents/${ids.agentId}/data-flow`, operator)).json()) as DataFlow
const labelPath = () => `/api/toolboxes/${ids.toolboxId}/tools/${searchId}/data-flow`
const activity = async () => (await plane.request('GET', '/api/activity', operator)).text()

test('who adds the third of the three is told, and so is everybody who looks at the agent; nothing is refused', async () => {
  expect(await flow()).toEqual({ private: ['demo__find'], untrusted: [], outward: [], warnings: [] })
  const answer = await add()
  expect(answer.status).toBe(201)
  const { warnings, id } = (await answer.json()) as ToolbeltItem & DataFlow
  expect(warnings).toHaveLength(1)
  expect((await flow()).warnings).toEqual(warnings)
  expect(await activity()).toContain('agent.data-flow')
  const less = await plane.send('PATCH', `${belt()}/${id}`, operator, { allow: [] })
  expect(await less.json()).toMatchObject({ warnings: [] })
  expect((await flow()).warnings).toEqual([])
})

/** An item on a toolbox that its agent may not use: not offered, so it counts for nothing until it may. */
async function addBehindAClosedDoor(): Promise<string> {
  const other = newId('toolbox')
  await plane.store.system(async (tx) => {
    const [toolbox] = await tx.select().from(toolboxes).where(eq(toolboxes.id, ids.toolboxId))
    await tx.insert(toolboxes).values({ ...toolbox!, id: other, name: 'other' })
    await tx.update(instances).set({ toolboxId: other }).where(eq(instances.id, searchId))
    const [item] = await tx.select().from(toolbeltItems).where(eq(toolbeltItems.id, ids.toolbeltItemId))
    const id = newId('belt')
    await tx.insert(toolbeltItems).values({ ...item!, id, instanceId: searchId })
    const allowed = { accountId: 'account_home', toolbeltItemId: id, capability: 'find' }
    await tx.insert(capabilityPermissions).values(allowed)
  })
  return `/api/agents/${ids.agentId}/toolboxes/${other}`
}

test('who gives access to a toolbox is told the same, where that makes all three of it', async () => {
  const door = await addBehindAClosedDoor()
  expect((await flow()).warnings).toEqual([])
  const answer = await plane.request('PUT', door, operator)
  expect(answer.status).toBe(200)
  const { warnings } = (await answer.json()) as DataFlow
  expect(warnings).toEqual([expect.objectContaining({ kind: 'private-untrusted-outward' })])
  expect((await flow()).warnings).toEqual(warnings)
  expect(await activity()).toContain('agent.data-flow')
})

test('where the account wants it, that access is refused and not given', async () => {
  const door = await addBehindAClosedDoor()
  await plane.send('PATCH', '/api/calls/settings', admin, { dataFlow: 'block' })
  const answer = await plane.request('PUT', door, operator)
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([409, 'data-flow-refused'])
  expect(await flow()).toMatchObject({ untrusted: [], outward: [], warnings: [] })
  expect(await activity()).not.toContain('agent.data-flow')
})

test('where the account wants it, the third is refused and nothing of it stays', async () => {
  await plane.send('PATCH', '/api/calls/settings', admin, { dataFlow: 'block' })
  const answer = await add()
  expect([answer.status, await answer.json()]).toMatchObject([409, { code: 'data-flow-refused' }])
  const { items } = (await (await plane.request('GET', belt(), operator)).json()) as { items: ToolbeltItem[] }
  expect(items.map(({ instanceName }) => instanceName)).toEqual(['demo'])
})

test('an agent that was dangerous before it was refused can be changed still', async () => {
  const { id } = (await (await add()).json()) as ToolbeltItem
  await plane.send('PATCH', '/api/calls/settings', admin, { dataFlow: 'block' })
  expect((await plane.send('PATCH', `${belt()}/${id}`, operator, { prompts: true })).status).toBe(200)
})

/** `search` is a tool of the account's own, with such a network. */
async function makeOwn(egress: 'none' | 'any', capabilities: (typeof instances.$inferInsert)['capabilities']) {
  const recipe: Recipe = {
    id: 'own',
    title: 'Own',
    summary: '',
    publisher: 'Own',
    icon: 'package',
    categories: [],
    spec: { package: { type: 'npm', name: 'own', version: '1.0.0' }, transport: { type: 'stdio' }, egress },
    config: [],
  }
  await plane.store.system((tx) =>
    tx.update(instances).set({ toolId: 'own', recipe, capabilities }).where(eq(instances.id, searchId)),
  )
}
const block = () => plane.send('PATCH', '/api/calls/settings', admin, { dataFlow: 'block' })
const found = (digest: string, annotations?: Record<string, unknown>) => [
  { name: 'find', inputSchema: {}, digest, ...(annotations ? { annotations } : {}) },
]

test('a tool of one’s own is judged by what it was described as: without a network it sends nothing and hears no stranger', async () => {
  await makeOwn('none', found('d'))
  await block()
  const answer = await add()
  expect([answer.status, await answer.json()]).toMatchObject([201, { warnings: [] }])
  expect(await flow()).toEqual({ private: ['demo__find'], untrusted: [], outward: [], warnings: [] })
  const { items } = (await (await plane.request('GET', labelPath(), operator)).json()) as {
    items: LabelledCapability[]
  }
  expect(items.map(({ labels }) => labels)).toEqual([[], []])
})

test('a tool of one’s own with a network is outward, and not private for that', async () => {
  await makeOwn('any', found('d'))
  await add()
  expect(await flow()).toMatchObject({
    private: ['demo__find'],
    untrusted: ['search__find'],
    outward: ['search__find'],
    warnings: [{ kind: 'private-untrusted-outward' }],
  })
})

test('what is allowed before the tool was ever asked counts as the tool does', async () => {
  await makeOwn('none', null)
  expect((await add()).status).toBe(201)
  expect((await flow()).warnings).toEqual([])
  await makeOwn('any', null)
  expect(await flow()).toMatchObject({ outward: ['search__find'], warnings: [{}] })
})

test('where the account wants it, the third is refused before the tool was ever asked', async () => {
  await makeOwn('any', null)
  await block()
  expect((await add()).status).toBe(409)
})

test('who approves a change that makes it the third is told, or refused, and then nothing is approved', async () => {
  await makeOwn('any', found('before', { openWorldHint: false }))
  const { id } = (await (await add()).json()) as ToolbeltItem
  await makeOwn('any', found('now'))
  expect((await flow()).warnings).toEqual([])
  const approve = () =>
    plane.send('POST', `${belt()}/${id}/approvals`, operator, { approve: [{ capability: 'find', digest: 'now' }] })
  await block()
  const refused = await approve()
  expect([refused.status, await refused.json()]).toMatchObject([409, { code: 'data-flow-refused' }])
  expect((await flow()).warnings).toEqual([])

  await plane.send('PATCH', '/api/calls/settings', admin, { dataFlow: 'warn' })
  const approved = await approve()
  expect([approved.status, await approved.json()]).toMatchObject([200, { warnings: [{}] }])
  expect((await flow()).warnings).toHaveLength(1)
  expect(await activity()).toContain('agent.data-flow')
})

test('an administrator says what a capability is, and takes it back; both on record', async () => {
  const read = async () =>
    (await (await plane.request('GET', labelPath(), operator)).json()) as { items: LabelledCapability[] }
  expect((await read()).items[1]).toEqual({
    capability: 'find',
    labels: [
      { label: 'untrusted', source: 'catalogue' },
      { label: 'outward', source: 'catalogue' },
    ],
    overridden: false,
  })
  expect((await plane.send('PUT', labelPath(), operator, { capability: 'find', labels: [] })).status).toBe(403)
  await plane.send('PUT', labelPath(), admin, { capability: 'find', labels: [] })
  expect((await read()).items[1]).toEqual({ capability: 'find', labels: [], overridden: true })
  await add()
  expect((await flow()).warnings).toEqual([])
  await plane.send('PUT', labelPath(), admin, { capability: 'find', labels: null })
  expect((await flow()).warnings).toHaveLength(1)
  expect(await activity()).toContain('Took back what was said of the data of search__find')
})

const say = (labels: FlowLabel[] | null) => plane.send('PUT', labelPath(), admin, { capability: 'find', labels })

test('who says of a tool what makes agents have all three is told which; what they had before is not told again', async () => {
  await say([])
  await add()
  const said = await say(['untrusted', 'outward'])
  expect([said.status, await said.json()]).toMatchObject([
    200,
    { warnings: [{ kind: 'private-untrusted-outward', agentId: ids.agentId, agentName: expect.any(String) }] },
  ])
  expect((await flow()).warnings).toHaveLength(1)
  expect(await activity()).toContain('agent.data-flow')
  expect(await (await say(['private', 'untrusted', 'outward'])).json()).toMatchObject({ warnings: [] })
})

test('where the account wants it, what would be said of a tool is refused with the name of the agent, and so is taking it back', async () => {
  await say([])
  await add()
  await block()
  for (const labels of [['untrusted', 'outward'] as FlowLabel[], null]) {
    const refused = await say(labels)
    const { code, detail } = (await refused.json()) as { code: string; detail: string }
    const { name } = (await (await plane.request('GET', `/api/agents/${ids.agentId}`, operator)).json()) as Agent
    expect([refused.status, code, detail]).toEqual([
      409,
      'data-flow-refused',
      expect.stringMatching(`^${name}: It reads`),
    ])
  }
  expect((await flow()).warnings).toEqual([])
  expect(await plane.store.system((tx) => readFlowLabels(tx, searchId))).toEqual({ find: [] })
})

test('of an agent that was dangerous before it was refused anything may be said', async () => {
  await add()
  await block()
  expect((await say(['private', 'untrusted', 'outward'])).status).toBe(200)
})

test('two who say what a tool means at the same time are both heard, the later one last', async () => {
  const said = (label: FlowLabel) => (tx: Tx) =>
    storeFlowLabels(tx, { accountId: 'account_home', instanceId: searchId, capability: '' }, [label])
  const { promise: written, resolve: write } = Promise.withResolvers<void>()
  const first = plane.store.system(async (tx) => {
    await said('private')(tx)
    write()
    await sleep(200)
  })
  await written
  await Promise.all([first, plane.store.system(said('outward'))])
  expect(await plane.store.system((tx) => readFlowLabels(tx, searchId))).toEqual({ '': ['outward'] })
})
