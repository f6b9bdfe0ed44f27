import type { Tool } from '@agentopia/api'
import { expect, test } from 'vitest'
import { draftOf, membersOf, othersOf, withChanged, without } from './group-members.ts'

const tool = (id: string, config: Tool['config'] = []): Tool => ({
  id,
  title: id,
  summary: '',
  publisher: '',
  icon: 'package',
  categories: [],
  package: { type: 'npm', name: id, version: '1.0.0' },
  transport: 'stdio',
  egress: 'none',
  keepsState: false,
  profiles: [],
  config,
  secrets: [],
})
const store = draftOf(1, tool('memory'), [])
const api = { ...draftOf(2, tool('everything'), []), dependsOn: ['memory'] }

test('a member takes a name that is free', () => {
  expect(draftOf(3, tool('memory'), ['memory']).name).toBe('memory-2')
})

test('who depends on a member still does when that is called otherwise', () => {
  expect(withChanged([store, api], { ...store, name: 'store' })).toMatchObject([
    { name: 'store' },
    { name: 'everything', dependsOn: ['store'] },
  ])
})

test('nobody depends on a member that was taken out of the form', () => {
  expect(without([store, api], store)).toMatchObject([{ name: 'everything', dependsOn: [] }])
})

test('what a member may come after is named once, also when a tool of the toolbox has the name of another member by now', () => {
  expect(othersOf(api, [store, api, { ...store, key: 3, name: '' }], ['fetch', 'memory'])).toEqual(['memory', 'fetch'])
})

test('what is sent has all that the members need, and nothing is sent while a setting is missing', () => {
  expect(membersOf([store, api])).toEqual([
    { toolId: 'memory', name: 'memory', config: {}, dependsOn: [] },
    { toolId: 'everything', name: 'everything', config: {}, dependsOn: ['memory'] },
  ])
  const needed = { key: 'root', title: 'Root', type: 'string', required: true, target: { argument: true } } as const
  expect(membersOf([draftOf(3, tool('files', [needed]), [])])).toBeUndefined()
})
