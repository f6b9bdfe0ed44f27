import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitsPattern, isAsked } from './ask-pattern.ts'

test.each([
  ['delete_*', 'delete_file', true],
  ['delete_*', 'undelete_file', false],
  ['*', '', true],
  ['echo', 'echo', true],
  ['echo', 'echoes', false],
  ['*_file', 'delete_file', true],
  ['a*a', 'a', false],
  ['a*b*c', 'a-b-c', true],
  ['a.c', 'abc', false],
])('%s and %s: %s', (pattern, name, fits) => {
  expect(fitsPattern(pattern, name)).toBe(fits)
})

test('a pattern fits what a regular expression of the same meaning fits', () => {
  const text = (letters: string[]) =>
    fc.array(fc.constantFrom(...letters), { maxLength: 12 }).map((all) => all.join(''))
  fc.assert(
    fc.property(text(['a', 'b', '*']), text(['a', 'b']), (pattern, name) => {
      expect(fitsPattern(pattern, name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name))
    }),
    { numRuns: 2_000 },
  )
})

test('what was said of the capability goes before the patterns', () => {
  expect(isAsked('wipe', null, ['w*'])).toBe(true)
  expect(isAsked('wipe', false, ['w*'])).toBe(false)
  expect(isAsked('wipe', true, [])).toBe(true)
  expect(isAsked('read', undefined, ['w*'])).toBe(false)
})
