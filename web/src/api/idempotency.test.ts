import { expect, test } from 'vitest'
import { createKeyring } from './idempotency.ts'

test('a repetition of the same input keeps its key, until it is done', () => {
  let count = 0
  const keyring = createKeyring(() => `key-${++count}`)
  expect(keyring.keyFor({ body: { name: 'a' } })).toBe('key-1')
  expect(keyring.keyFor({ body: { name: 'a' } })).toBe('key-1')
  keyring.done()
  expect(keyring.keyFor({ body: { name: 'a' } })).toBe('key-2')
})

test('another input is another deed', () => {
  let count = 0
  const keyring = createKeyring(() => `key-${++count}`)
  keyring.keyFor({ body: { name: 'a' } })
  expect(keyring.keyFor({ body: { name: 'b' } })).toBe('key-2')
})
