import { expect, test } from 'vitest'
import { groupFrom } from './describe.ts'

test('a group is said by names, entries of the catalogue, and what comes after what', () => {
  expect(groupFrom('desk', 'store=memory,api=everything,time', 'api=store,time=api+store')).toEqual({
    name: 'desk',
    members: [
      { name: 'store', toolId: 'memory', dependsOn: [] },
      { name: 'api', toolId: 'everything', dependsOn: ['store'] },
      { name: 'time', toolId: 'time', dependsOn: ['api', 'store'] },
    ],
  })
})

test.each([
  ['without tools', '', '', 'Say which tools'],
  ['with a need of a tool that it does not have', 'store=memory', 'api=store', '--after api'],
  ['with a need of nothing', 'store=memory', 'store', '--after store'],
])('%s it is refused', (_, tools, after, words) => {
  expect(() => groupFrom('desk', tools, after)).toThrow(words)
})
