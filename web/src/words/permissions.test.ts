import { expect, test } from 'vitest'
import { allowedOf, answersOf, answersOfPreset, changesOf, presetOf, withAnswer } from './permissions.ts'

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
  permission('wipe', { destructive: true, allowed: true, ask: true }),
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

test('what was asked for is asked for on when everything is allowed at once', () => {
  expect(answersOfPreset(permissions, 'all').get('wipe')).toBe('ask')
  expect(answersOfPreset(permissions, 'all').get('write')).toBe('allow')
})

test('a draft is told as what it would allow, ask for and deny', () => {
  expect([...allowedOf(permissions)]).toEqual(['read', 'wipe', 'gone'])
  const draft = withAnswer(
    withAnswer(withAnswer(answersOf(permissions), 'gone', 'deny'), 'write', 'ask'),
    'wipe',
    'allow',
  )
  expect(changesOf(permissions, draft)).toEqual({ allowed: ['wipe'], asked: ['write'], denied: ['gone'] })
  expect(changesOf(permissions, answersOf(permissions))).toEqual({ allowed: [], asked: [], denied: [] })
})
