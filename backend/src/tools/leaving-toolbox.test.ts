import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { furnishedAccount, jsonOf, openTestControlPlane, type TestControlPlane } from '../control-plane.testing.ts'
import { wantGroupAbsent } from '../groups/group.store.ts'
import { askForEnd } from '../toolboxes/provision.store.ts'
import { getStayingToolboxRow } from '../toolboxes/toolbox.store.ts'
import { changeInstance } from './instance.store.ts'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

test('nothing is put on a toolbox that is being deprovisioned or changed there, and no agent is let in', async () => {
  const { as, ids } = await furnishedAccount(plane, 'admin')
  await plane.store.system((tx) => askForEnd(tx, ids.toolboxId))
  const member = { toolId: 'everything', name: 'first' }
  for (const [method, path, body] of [
    ['POST', `/api/toolboxes/${ids.toolboxId}/tools`, member],
    ['POST', `/api/toolboxes/${ids.toolboxId}/groups`, { name: 'late', members: [member] }],
    ['POST', `/api/toolboxes/${ids.toolboxId}/tools/${ids.instanceId}/restart`, undefined],
    ['PUT', `/api/agents/${ids.agentId}/toolboxes/${ids.toolboxId}`, undefined],
    ['POST', `/api/agents/${ids.agentId}/toolbelt`, { instanceId: ids.instanceId, allow: [] }],
  ] as const) {
    const answer = await plane.send(method, path, as, body)
    expect([path, answer.status, (await jsonOf(answer)).code]).toEqual([path, 404, 'toolbox-not-found'])
  }
})

test('while something is put on it a toolbox does not go', async () => {
  const { ids } = await furnishedAccount(plane, 'operator')
  const steps: string[] = []
  const putting = plane.store.system(async (tx) => {
    await getStayingToolboxRow(tx, ids.toolboxId)
    steps.push('found')
    await sleep(300)
    steps.push('put')
  })
  await expect.poll(() => steps).toEqual(['found'])
  await plane.store.system((tx) => askForEnd(tx, ids.toolboxId))
  steps.push('asked for its end')
  await putting
  expect(steps).toEqual(['found', 'put', 'asked for its end'])
})

test('a tool that was removed while somebody else started it is removed', async () => {
  const { ids } = await furnishedAccount(plane, 'operator')
  await plane.store.system((tx) => changeInstance(tx, ids.instanceId, { desired: 'absent' }))
  const started = plane.store.system((tx) => changeInstance(tx, ids.instanceId, { desired: 'running' }))
  await expect(started).rejects.toMatchObject({ code: 'instance-not-found' })
})

test('what is asked of a tool or a group in the moment in which its toolbox goes finds that it has gone', async () => {
  const changed = plane.store.system((tx) => changeInstance(tx, 'inst_gone', { desired: 'running' }))
  await expect(changed).rejects.toMatchObject({ code: 'instance-not-found' })
  const removed = plane.store.system((tx) => wantGroupAbsent(tx, 'group_gone'))
  await expect(removed).rejects.toMatchObject({ code: 'group-not-found' })
})
