import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type As, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { instances, toolboxes } from '../store/schema/index.ts'
import { storeOffer } from '../tools/offer.store.ts'

let plane: TestControlPlane
let operator: As
let viewer: As
let stranger: As
const toolboxId = newId('toolbox')
let instanceId: string
let items: { readonly agentId: string; readonly path: string }[]

const capability = (name: string, description = name) => ({
  name,
  description,
  inputSchema: { type: 'object' },
  digest: `${name}: ${description}`,
})
const BEFORE = [capability('echo'), capability('add'), capability('wipe')]
const AFTER = [capability('wipe'), capability('add', 'subtracts'), capability('echo', 'echoes to\u200b the world')]

beforeAll(async () => {
  plane = await openTestControlPlane()
  operator = await signedIn(plane, 'account_a', 'operator')
  viewer = await signedIn(plane, 'account_a', 'viewer')
  stranger = await signedIn(plane, 'account_b', 'owner')
  await plane.store.system((tx) =>
    tx
      .insert(toolboxes)
      .values({ accountId: 'account_a', id: toolboxId, name: 'alpha', provider: 'join', status: 'active' }),
  )
})
afterAll(() => plane.close())

/** Two agents with one tool: the first may echo and add, the second may wipe. */
beforeEach(async () => {
  instanceId = newId('inst')
  const instance = {
    accountId: 'account_a',
    id: instanceId,
    toolboxId,
    toolId: 'everything',
    name: instanceId.slice(5),
  }
  await plane.store.system((tx) =>
    tx.insert(instances).values({ ...instance, desired: 'running', config: {}, capabilities: BEFORE }),
  )
  items = []
  for (const allow of [['echo', 'add', 'wipe'], ['wipe']]) {
    const { body: agent } = await ask('POST', '/api/agents', { name: newId('agent').replaceAll('_', '-') })
    await ask('PUT', `/api/agents/${agent.id}/toolboxes/${toolboxId}`)
    const { body } = await ask('POST', `/api/agents/${agent.id}/toolbelt`, { instanceId, allow })
    items.push({ agentId: agent.id, path: `/api/agents/${agent.id}/toolbelt/${body.id}` })
  }
})

async function ask(method: string, path: string, body?: unknown, as: As = operator) {
  const answer = body === undefined ? await plane.request(method, path, as) : await plane.send(method, path, as, body)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
}
const offer = (capabilities: typeof BEFORE) =>
  plane.store.system(async (tx) => {
    const isIt = eq(instances.id, instanceId)
    const [instance] = await tx.select().from(instances).where(isIt)
    await storeOffer(tx, instance!, isIt, { capabilities, digest: JSON.stringify(capabilities) })
  })

type Permission = { readonly capability: string; readonly changed?: { readonly from: object; readonly to: object } }
async function changedOf(item = 0): Promise<[string, object][]> {
  const { agentId, path } = items[item]!
  const { body } = await ask('GET', `/api/agents/${agentId}/toolbelt`)
  const found = body.items.find(({ id }: { id: string }) => path.endsWith(id))
  return found.permissions.flatMap((one: Permission) => (one.changed ? [[one.capability, one.changed]] : []))
}
const approve = (names: readonly string[], as?: As, of = AFTER) =>
  ask(
    'POST',
    `${items[0]!.path}/approvals`,
    { approve: names.map((name) => ({ capability: name, digest: of.find((one) => one.name === name)?.digest ?? '' })) },
    as,
  )

test('M07 a toolbelt item shows what was allowed and what is offered instead; an approval of one leaves the others', async () => {
  expect(await changedOf()).toEqual([])
  await offer(AFTER)
  expect(await changedOf()).toEqual([
    ['add', { from: BEFORE[1], to: AFTER[1] }],
    ['echo', { from: BEFORE[0], to: AFTER[2] }],
  ])
  expect(await changedOf(1)).toEqual([])
  expect((await approve(['echo'])).status).toBe(200)
  expect((await changedOf()).map(([name]) => name)).toEqual(['add'])
  expect((await approve(['echo', 'add'])).status).toBe(200)
  expect(await changedOf()).toEqual([])
})

test('M07 who only looks approves nothing, and another account finds nothing', async () => {
  await offer(AFTER)
  expect((await approve(['echo'], viewer)).body).toMatchObject({ status: 403, code: 'forbidden' })
  expect((await approve(['echo'], stranger)).body).toMatchObject({ status: 404, code: 'agent-not-found' })
  const { path } = items[0]!
  const { body: mine } = await ask('POST', '/api/agents', { name: newId('agent').replaceAll('_', '-') }, stranger)
  const astray = `/api/agents/${mine.id}/toolbelt/${path.split('/').at(-1)}/approvals`
  const body = { approve: [{ capability: 'echo', digest: AFTER[2]!.digest }] }
  expect((await ask('POST', astray, body, stranger)).body).toMatchObject({
    status: 404,
    code: 'toolbelt-item-not-found',
  })
  expect(await changedOf()).toHaveLength(2)
})

test('M07 only what was looked at is approved: when it has changed again, nothing is', async () => {
  await offer(AFTER)
  await offer([capability('wipe'), capability('add', 'subtracts'), capability('echo', 'worse')])
  expect((await approve(['add', 'echo'])).body).toMatchObject({ status: 409, code: 'capability-changed' })
  expect((await approve(['no_such'])).body).toMatchObject({ status: 403, code: 'capability-denied' })
  expect(await changedOf()).toHaveLength(2)
})

test('M07 whoever saves the list does not approve by it; what is denied and allowed again is allowed as it is now', async () => {
  await offer(AFTER)
  const { path } = items[0]!
  await ask('PATCH', path, { allow: ['echo', 'add'], enabled: true })
  expect(await changedOf()).toHaveLength(2)
  await ask('PATCH', path, { allow: ['add'] })
  await ask('PATCH', path, { allow: ['add', 'echo'] })
  expect((await changedOf()).map(([name]) => name)).toEqual(['add'])
})

test('M07 a change that blocks an agent is told once, and so is its approval', async () => {
  await offer(AFTER)
  await offer(AFTER)
  await approve(['add'])
  const { body } = await ask('GET', '/api/activity?limit=200')
  const told = body.items.filter(
    ({ subject, action }: { subject: string; action: string }) =>
      subject === instanceId || (subject === items[0]!.agentId && action === 'toolbelt.approved'),
  )
  expect(told.map(({ action, message }: { action: string; message: string }) => [action, message])).toEqual([
    ['toolbelt.approved', expect.stringMatching(/: add$/)],
    ['instance.capabilities-changed', expect.stringMatching(/until approved for 1 agent: add, echo$/)],
  ])
})
