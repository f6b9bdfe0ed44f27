import { expect, test } from 'vitest'
import { whyRefused } from './why-refused.ts'

const asked = {
  agent: { enabled: true, name: 'reader' },
  item: { enabled: true, instanceName: 'everything', offer: 'shared' },
  permission: { allowed: true },
  instance: { desired: 'running' },
} as const

test('a call that may be made has nothing against it', () => {
  expect(whyRefused(asked)).toBeUndefined()
  expect(whyRefused({ ...asked, instance: undefined })).toBeUndefined()
})

test.each([
  [{ agent: { enabled: false, name: 'reader' } }, /kill switch of reader/],
  [{ item: { ...asked.item, enabled: false } }, /switched off in the toolbelt/],
  [{ item: { ...asked.item, offer: 'awaited' } as const }, /everything has not run for reader yet/],
  [{ permission: { allowed: false } }, /denied to this agent/],
  [{ instance: { desired: 'stopped' } as const }, /everything is stopped/],
])('the reason is named: %j', (change, words) => {
  expect(whyRefused({ ...asked, ...change })).toMatch(words)
})
