import { expect, test } from 'vitest'
import { allowedOf, changesOf, presetOf } from './permissions.ts'

const permission = (capability: string, over: object = {}) => ({
  capability,
  gatewayName: `x__${capability}`,
  allowed: false,
  ask: false,
  offered: true,
  ...over,
})
const permissions = [
  permission('read', { readOnly: true, allowed: true }),
  permission('write'),
  permission('wipe', { destructive: true }),
  permission('liar', { readOnly: true, destructive: true }),
  permission('gone', { allowed: true, offered: false, readOnly: true }),
]

test('read-only means that the server calls it so and nothing else', () => {
  expect([...presetOf(permissions, 'read-only')]).toEqual(['read'])
})

test('all means all that is offered, none means none', () => {
  expect([...presetOf(permissions, 'all')]).toEqual(['read', 'write', 'wipe', 'liar'])
  expect(presetOf(permissions, 'none').size).toBe(0)
})

test('a draft is told as what it would allow and deny', () => {
  expect([...allowedOf(permissions)]).toEqual(['read', 'gone'])
  expect(changesOf(permissions, new Set(['read', 'write']))).toEqual({ allowed: ['write'], denied: ['gone'] })
})
