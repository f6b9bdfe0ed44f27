import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  BEGINNING_LENGTH,
  beginningUnder,
  createSealer,
  HEAD_LENGTH,
  keyIdIn,
  keyIdOf,
  type SealedFor,
} from './seal.ts'

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

const [before, after] = [randomBytes(32), randomBytes(32)]

test('while the key is changed, what was sealed under the one before opens, and is sealed under the new one', () => {
  const old = createSealer(before).seal('canary', belongsTo)
  const both = createSealer(after, [before])
  expect(both.open(old, belongsTo)).toBe('canary')
  expect(createSealer(after).open(both.seal('canary', belongsTo), belongsTo)).toBe('canary')
  expect(both.keyId).toBe(keyIdOf(after))
})

test('resealed, only the head of a text is another: it opens under the new key alone, and is the same the next time', () => {
  const old = createSealer(before).seal('canary', belongsTo)
  const both = createSealer(after, [before])
  const [head, body] = [old.slice(0, HEAD_LENGTH), old.slice(HEAD_LENGTH)]
  const resealed = both.resealHead(head, belongsTo)
  expect(createSealer(after).open(resealed + body, belongsTo)).toBe('canary')
  expect(() => createSealer(before).open(resealed + body, belongsTo)).toThrow(/sealed under the key/)
  expect(both.resealHead(resealed, belongsTo)).toBe(resealed)
})

test('what is another row’s, was changed, or wants an unknown key is not resealed', () => {
  const head = createSealer(before).seal('canary', belongsTo).slice(0, HEAD_LENGTH)
  const both = createSealer(after, [before])
  const turned = head.at(-3) === 'A' ? 'B' : 'A'
  expect(() => both.resealHead(head, { ...belongsTo, recordId: 'toolbox_2' })).toThrow()
  expect(() => both.resealHead(head.slice(0, -3) + turned + head.slice(-2), belongsTo)).toThrow()
  expect(() => createSealer(after).resealHead(head, belongsTo)).toThrow(/sealed under the key/)
  expect(() => both.resealHead(head.slice(1), belongsTo)).toThrow('no sealed text')
})

test('a sealed text begins with what names its key', () => {
  const sealed = createSealer(before).seal('canary', belongsTo)
  expect(sealed.slice(0, BEGINNING_LENGTH)).toBe(beginningUnder(keyIdOf(before)))
  expect(keyIdIn(sealed)).toBe(keyIdOf(before))
})

test('a key has 32 bytes', () => {
  expect(() => createSealer(randomBytes(31))).toThrow(RangeError)
  expect(() => createSealer(before, [randomBytes(33)])).toThrow(RangeError)
})
