import type { SecretField } from '@agentopia/api'
import type { ToolStatus } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCatalog } from '../catalog/catalog.ts'
import type { Recipe } from '../catalog/recipe.ts'
import { agentToolNameOf } from '../credentials/agent-tool.store.ts'
import { agentTools, instances } from '../store/schema/index.ts'
import { openTestGateway, type TestGateway } from './gateway.testing.ts'
import { type Deployed, specDigestOf } from './spec-digest.ts'
import { readToolbelt } from './toolbelt.store.ts'

// The record of a call names what ran: another version is another digest, the same version the same.

const SECRETS: readonly SecretField[] = [{ key: 'key', title: 'Key', required: true, target: { env: 'KEY' } }]

const recipe = (version: string, more: Partial<Recipe> = {}): Recipe => ({
  id: 'fake',
  title: 'Fake',
  summary: 'A tool',
  publisher: 'Somebody',
  icon: 'globe',
  categories: [],
  spec: { package: { type: 'npm', name: 'fake', version }, transport: { type: 'stdio' } },
  config: [{ key: 'mode', title: 'Mode', type: 'string', required: false, target: { env: 'MODE' } }],
  ...more,
})

const digest = (of: Recipe | undefined, more: Partial<Deployed> = {}) =>
  specDigestOf(createCatalog(of ? [of] : []), {
    toolId: 'fake',
    recipe: null,
    config: {},
    sharedImage: null,
    ownImage: null,
    ...more,
  })

test.each([
  ['that all agents share', {}],
  ['that each agent has for itself', { secrets: SECRETS }],
] as const)('of a tool %s, each version has its digest', (_, more) => {
  const first = digest(recipe('1.0.0', more))
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(digest(recipe('1.0.0', more))).toBe(first)
  expect(digest(recipe('1.0.1', more))).not.toBe(first)
  expect(digest(recipe('1.0.0', more), { config: { mode: 'fast' } })).not.toBe(first)
  expect(digest(recipe('1.0.0', { ...more, title: 'Told otherwise' }))).toBe(first)
})

test('what an account deployed of its own counts as it was when it was deployed', () => {
  const own = digest(undefined, { recipe: recipe('1.0.0') })
  expect(digest(recipe('2.0.0'), { recipe: recipe('1.0.0') })).toBe(own)
  expect(digest(undefined, { recipe: recipe('1.0.1') })).not.toBe(own)
})

test('the image counts that answers the agent: the shared one, or its own', () => {
  const shared = recipe('1.0.0')
  expect(digest(shared, { sharedImage: 'sha256:a' })).not.toBe(digest(shared, { sharedImage: 'sha256:b' }))
  expect(digest(shared, { ownImage: 'sha256:a' })).toBe(digest(shared))
  const own = recipe('1.0.0', { secrets: SECRETS })
  expect(digest(own, { ownImage: 'sha256:a' })).not.toBe(digest(own, { ownImage: 'sha256:b' }))
  expect(digest(own, { sharedImage: 'sha256:a' })).toBe(digest(own))
})

let gateway: TestGateway
beforeAll(async () => {
  gateway = await openTestGateway()
})
afterAll(() => gateway.close())

const statusOf = (name: string, image: string): ToolStatus => ({
  name,
  generation: 1,
  desired: 'running',
  state: 'running',
  since: '2026-01-01T00:00:00.000Z',
  restarts: 0,
  container: { id: 'c', image },
})

test('a toolbelt knows the image of each container from the reports of the toolbox', async () => {
  const { store, agentId, toolboxId, demo, other } = gateway
  const catalog = createCatalog([recipe('1.0.0', { secrets: SECRETS })])
  const name = agentToolNameOf(demo.instanceId, agentId)
  await store.system(async (tx) => {
    const of = { accountId: 'account_1', toolboxId, instanceId: demo.instanceId, lastUsedAt: new Date() }
    const mine = { ...of, id: name, agentId, status: statusOf(name, 'sha256:mine') }
    await tx
      .insert(agentTools)
      .values([mine, { ...mine, id: 'another', agentId: 'agent_2', status: statusOf('another', 'x') }])
    await tx
      .update(instances)
      .set({ recipe: recipe('1.0.0') })
      .where(eq(instances.id, other.instanceId))
    const status = statusOf(other.instanceId, 'sha256:shared')
    await tx.update(instances).set({ status }).where(eq(instances.id, other.instanceId))
  })
  const belt = await store.tenant('account_1', (tx) => readToolbelt(tx, agentId, catalog))
  const digests = new Map(belt!.items.map(({ instance }) => [instance.id, instance.specDigest]))
  expect(digests.get(demo.instanceId)).toBe(digest(recipe('1.0.0', { secrets: SECRETS }), { ownImage: 'sha256:mine' }))
  const [kept] = await store.system((tx) => tx.select().from(instances).where(eq(instances.id, other.instanceId)))
  expect(digests.get(other.instanceId)).toBe(digest(undefined, { recipe: kept!.recipe, sharedImage: 'sha256:shared' }))
  expect(belt!.items).toHaveLength(2)
})
