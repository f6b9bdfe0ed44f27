import { ToolGroup } from '@agentopia/api'
import type { ToolStatus } from '@agentopia/dtma/contract'
import { and, eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type As,
  furnishedAccount,
  jsonOf,
  openTestControlPlane,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import { activities, groups, instances } from '../store/schema/index.ts'
import { runningStatus } from '../tools/tool-status.testing.ts'
import { groupReconciler } from './group.reconciler.ts'

// The toolbox of these tests is played by hand: its reports are written into the rows.

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

async function account() {
  const { accountId, as, ids } = await furnishedAccount(plane, 'operator')
  const path = `/api/toolboxes/${ids.toolboxId}`
  const named = (name: string) => and(eq(instances.toolboxId, ids.toolboxId), eq(instances.name, name))
  return {
    as,
    ids,
    path,
    create: (members: readonly object[], headers: As = {}) =>
      plane.send('POST', `${path}/groups`, { ...as, ...headers }, { name: 'team', members }),
    read: async (id: string) => ToolGroup.parse(await (await plane.request('GET', `${path}/groups/${id}`, as)).json()),
    names: async () =>
      (await plane.store.system((tx) => tx.select().from(instances).where(eq(instances.toolboxId, ids.toolboxId))))
        .map(({ name }) => name)
        .sort(),
    /** What the toolbox reports of a tool. */
    report: (name: string, over: Partial<ToolStatus>) =>
      plane.store.system((tx) =>
        tx
          .update(instances)
          .set({
            status: { name, generation: 1, desired: 'running', state: 'running', since: 'x', restarts: 0, ...over },
          })
          .where(named(name)),
      ),
    /** The toolbox confirms what it was asked to remove. */
    confirmRemoved: (name: string) =>
      plane.store.system(async (tx) => {
        const gone = await tx
          .delete(instances)
          .where(and(named(name), eq(instances.desired, 'absent')))
          .returning()
        return gone.length
      }),
    told: async (action: string) =>
      plane.store.system((tx) =>
        tx
          .select()
          .from(activities)
          .where(and(eq(activities.accountId, accountId), eq(activities.action, action))),
      ),
  }
}

const { mcp } = runningStatus()
const pair = [
  { toolId: 'everything', name: 'second', dependsOn: ['first'] },
  { toolId: 'everything', name: 'first' },
]
const states = ({ state, members }: ToolGroup) => [state, ...members.map((one) => `${one.name} ${one.state}`)]
const patience = { timeout: 20_000, interval: 100 }

test('members are begun in the order of their needs, and the group is ready when all are', async () => {
  const { create, read, report, told, as, path, ids } = await account()
  const created = await create(pair)
  expect(created.status).toBe(202)
  const { id } = ToolGroup.parse(await created.json())
  await expect.poll(async () => states(await read(id)), patience).toEqual(['deploying', 'first none', 'second waiting'])
  await report('first', { mcp })
  await expect.poll(async () => states(await read(id)), patience).toEqual(['deploying', 'first running', 'second none'])
  await report('second', { mcp })
  await expect.poll(async () => (await read(id)).state, patience).toBe('ready')
  expect(await told('group.ready')).toHaveLength(1)
  const listed = await jsonOf(await plane.request('GET', `${path}/groups`, as))
  expect(listed.items.map((one) => one.id).sort()).toEqual([id, ids.groupId].sort())
}, 60_000)

test('when one does not come up, the others are taken back, and the reason stays on record', async () => {
  const { create, read, report, confirmRemoved, names, told } = await account()
  const { id } = ToolGroup.parse(await (await create(pair)).json())
  await report('first', { mcp })
  await expect.poll(async () => states(await read(id)), patience).toContain('second none')
  await report('second', { state: 'blocked', reason: 'image_not_found', message: 'no such image' })
  await expect.poll(async () => (await read(id)).state, patience).toBe('undoing')
  await expect.poll(() => confirmRemoved('second'), patience).toBe(1)
  expect(await confirmRemoved('first')).toBe(0) // not before the one that needs it is gone
  await expect.poll(() => confirmRemoved('first'), patience).toBe(1)
  await expect.poll(async () => (await read(id)).state, patience).toBe('failed')
  const failure = { member: 'second', reason: 'image_not_found', message: 'no such image' }
  expect(await read(id)).toMatchObject({ failure, members: [{ state: 'none' }, { state: 'none' }] })
  expect(await names()).toEqual(['demo'])
  expect(await told('group.undone')).toMatchObject([{ message: expect.stringContaining('no such image') }])

  const next = ToolGroup.parse(await (await create(pair)).json()) // the failed one gives way
  expect(next).toMatchObject({ name: 'team', state: 'deploying' })
  expect(next.id).not.toBe(id)
}, 90_000)

test('a group is one thing: its tools are changed once it is ready, and removed with it alone', async () => {
  const { as, ids, path, read, confirmRemoved, names } = await account()
  const tool = `${path}/tools/${ids.instanceId}`
  await plane.store.system((tx) =>
    tx.update(instances).set({ groupId: ids.groupId }).where(eq(instances.id, ids.instanceId)),
  )
  const change = async (state: 'ready' | 'deploying') => {
    await plane.store.system((tx) => tx.update(groups).set({ state }).where(eq(groups.id, ids.groupId)))
    return (await plane.send('POST', `${tool}/restart`, as, {})).status
  }
  expect([await change('deploying'), await change('ready')]).toEqual([409, 202])
  expect(await jsonOf(await plane.request('DELETE', tool, as))).toMatchObject({ code: 'instance-in-group' })

  const remove = (query: string) => plane.request('DELETE', `${path}/groups/${ids.groupId}${query}`, as)
  expect(await jsonOf(await remove(''))).toMatchObject({ code: 'instance-in-use' })
  expect((await read(ids.groupId)).state).toBe('ready')
  expect([(await remove('?force=true')).status, (await remove('?force=true')).status]).toEqual([202, 202])
  expect((await read(ids.groupId)).state).toBe('removing')
  await expect.poll(() => confirmRemoved('demo'), patience).toBe(1)
  const gone = async () => (await plane.request('GET', `${path}/groups/${ids.groupId}`, as)).status
  await expect.poll(gone, patience).toBe(404)
  expect(await names()).toEqual([])
}, 60_000)

test.each([
  ['a tool that nobody has', [{ toolId: 'no-such-tool', name: 'third' }], 'tool-not-found'],
  [
    'a circle',
    [
      { ...pair[0], dependsOn: ['third'] },
      { ...pair[1], name: 'third', dependsOn: ['second'] },
    ],
    'invalid-group',
  ],
  ['a name that is taken', [...pair, { toolId: 'everything', name: 'demo' }], 'name-taken'],
  ['a wrong setting', [...pair, { toolId: 'everything', name: 'third', config: { colour: 'red' } }], 'invalid-config'],
  ['nothing', [], 'invalid-request'],
])('of a group with %s nothing comes to be', async (_, members, code) => {
  const { create, names, as, path } = await account()
  expect(await jsonOf(await create(members))).toMatchObject({ code })
  expect(await names()).toEqual(['demo'])
  expect((await jsonOf(await plane.request('GET', `${path}/groups`, as))).items).toHaveLength(1)
})

test('the same request under the same key makes one group', async () => {
  const { create, names } = await account()
  const key = { 'idempotency-key': newId('act') }
  const [first, again] = [await (await create(pair, key)).json(), await (await create(pair, key)).json()]
  expect(again).toEqual(first)
  expect(await names()).toEqual(['demo', 'first', 'second'])
  expect(await jsonOf(await create(pair.slice(1), key))).toMatchObject({ code: 'idempotency-key-reused' })
})

test('D15 a clock that is set forward a day undoes no group whose tools are still on their way', async () => {
  const { create, read } = await account()
  const { id } = ToolGroup.parse(await (await create(pair)).json())
  await expect.poll(async () => states(await read(id)), patience).toContain('first none')
  const clock = manualClock(Date.now())
  const { store } = plane
  const { reconcile } = groupReconciler({ store, clock, wakeInstance: () => {}, owner: 'another replica' })
  const look = () => reconcile(id, new AbortController().signal)
  await look()
  clock.set(86_400_000)
  await look()
  expect((await read(id)).state).toBe('deploying')
  await clock.advance(900_001)
  const looked = async () => {
    await look()
    return (await read(id)).state
  }
  await expect.poll(looked, patience).toBe('undoing')
}, 60_000)
