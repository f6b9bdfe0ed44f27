import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSealer, type SealedFor } from './seal.ts'

const belongsTo: SealedFor = { purpose: 'dtma-api-key', accountId: 'a', recordId: 'toolbox_1' }
const sealer = createSealer(randomBytes(32))

test('opens what it sealed, and shows nothing of it', () => {
  const sealed = sealer.seal('canary', belongsTo)
  expect(sealed).not.toContain('canary')
  expect(sealer.open(sealed, belongsTo)).toBe('canary')
})

test('seals the same text differently each time', () => {
  expect(sealer.seal('canary', belongsTo)).not.toBe(sealer.seal('canary', belongsTo))
})

test.each([
  ['another account', { accountId: 'b' }],
  ['another record', { recordId: 'toolbox_2' }],
  ['another purpose', { purpose: 'agent-credential' }],
] as const)('does not open for %s', (_, other) => {
  expect(() => sealer.open(sealer.seal('canary', belongsTo), { ...belongsTo, ...other })).toThrow()
})

test('does not open after a change of any byte', () => {
  const parts = sealer.seal('canary', belongsTo).split('.')
  for (const part of [2, 3])
    for (let at = 0; at < Buffer.from(parts[part]!, 'base64url').length; at += 1) {
      const bytes = Buffer.from(parts[part]!, 'base64url')
      bytes[at]! ^= 1
      const changed = parts.with(part, bytes.toString('base64url')).join('.')
      expect(() => sealer.open(changed, belongsTo)).toThrow()
    }
})

test('names the key when it is another', () => {
  expect(() => createSealer(randomBytes(32)).open(sealer.seal('x', belongsTo), belongsTo)).toThrow(
    /sealed under the key/,
  )
})
