import { expect, test } from 'vitest'
import type { ToolAddress } from '../credentials/agent-belt.ts'
import type { BeltItem } from './authorise.ts'
import { createSharedLists } from './shared-lists.ts'
import type { CallUpstream } from './upstream.ts'

/** As far as lists look at an item. */
const itemOf = (agentId?: string) => {
  const own = { accountId: 'a', toolboxId: 't', instanceId: 'inst_1', instanceName: 'demo', secretsVersion: '1' }
  const toolbox: Pick<ToolAddress, 'id' | 'own'> = { id: 't', ...(agentId ? { own: { ...own, agentId } } : {}) }
  return { instance: { id: 'inst_1', toolbox } } as unknown as BeltItem
}

/** Servers that list under a new name each time they are asked. */
function world() {
  let asked = 0
  const callUpstream: CallUpstream = async () => {
    asked += 1
    return { answer: { result: { prompts: [{ name: `prompt ${asked}` }] } }, written: '' }
  }
  const lists = createSharedLists({ callUpstream, clock: { steady: () => 0 } })
  return { lists, read: async (item: BeltItem) => (await lists.of(item, 'prompts/list')).map(({ name }) => name) }
}

test.each([
  ['that agents share', itemOf()],
  ['of one agent', itemOf('agent_1')],
])('a list of a container %s is remembered until its server says that it changed', async (_, item) => {
  const { lists, read } = world()
  expect(await read(item)).toEqual(['prompt 1'])
  expect(await read(item)).toEqual(['prompt 1'])
  lists.forget(item)
  expect(await read(item)).toEqual(['prompt 2'])
})

test('M18 what the container of one agent lists is shown to no other, and forgotten for no other', async () => {
  const { lists, read } = world()
  expect([await read(itemOf('agent_1')), await read(itemOf('agent_2'))]).toEqual([['prompt 1'], ['prompt 2']])
  lists.forget(itemOf('agent_1'))
  expect([await read(itemOf('agent_2')), await read(itemOf('agent_1'))]).toEqual([['prompt 2'], ['prompt 3']])
})
