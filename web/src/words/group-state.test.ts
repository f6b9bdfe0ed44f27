import type { GroupMember } from '@agentopia/api'
import { expect, test } from 'vitest'
import { groupWords, memberWords, toneOfGroup, toneOfMember, whyHeld } from './group-state.ts'

const member = (over: Partial<GroupMember> = {}): GroupMember => ({
  name: 'one',
  toolId: 'everything',
  dependsOn: [],
  instanceId: 'inst_0000000000000000',
  state: 'running',
  ...over,
})

test('a group that stands is as well as the worst of its members', () => {
  const exited = member({ state: 'exited' })
  expect(toneOfGroup({ state: 'ready', members: [member(), member()] })).toBe('ok')
  expect(toneOfGroup({ state: 'ready', members: [member(), exited] })).toBe('bad')
  expect(toneOfGroup({ state: 'deploying', members: [exited] })).toBe('busy')
  expect(toneOfGroup({ state: 'failed', members: [] })).toBe('bad')
})

test('a member says whether it waits, works, or was taken back', () => {
  const { instanceId: _, ...gone } = member({ state: 'none' })
  expect([member(), member({ state: 'waiting' }), gone].map((one) => [toneOfMember(one), memberWords(one)])).toEqual([
    ['ok', 'running'],
    ['idle', 'waits'],
    ['idle', 'not there'],
  ])
  expect(groupWords({ state: 'undoing' })).toBe('being undone')
})

test('the tools of a group are changed one by one once it stands, and before that it is said why not', () => {
  const held = (state: Parameters<typeof whyHeld>[0]['state']) => whyHeld({ name: 'desk', state })
  expect(held('ready')).toBeUndefined()
  expect(held('deploying')).toBe('The group desk is being deployed')
  expect(held('failed')).toBe('The group desk failed')
})
