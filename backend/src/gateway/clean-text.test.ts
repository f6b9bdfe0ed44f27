import { expect, test } from 'vitest'
import { cleanJson, cleanText } from './clean-text.ts'

test.each([
  ['a terminal sequence', 'red \u001b[31malert', 'red alert'],
  ['a bidirectional override', 'file\u202egnp.exe', 'filegnp.exe'],
  ['zero width', 'pay\u200bpal', 'paypal'],
  ['tags that only models read', `hello${String.fromCodePoint(0xe0049, 0xe0067)}`, 'hello'],
  ['a byte order mark', '\ufeffhello', 'hello'],
  ['half a character', 'a\ud800b', 'a\ufffdb'],
  ['what is to be seen', 'Grüße, 世界\n\t☀', 'Grüße, 世界\n\t☀'],
])('%s', (_, text, clean) => {
  expect(cleanText(text)).toBe(clean)
})

test('M09 a description of a megabyte is cut', () => {
  expect(cleanText('x'.repeat(1_000_000))).toHaveLength(20_000)
})

test('M09 texts and keys are cleaned at every depth, and values stay what they are', () => {
  const schema = {
    type: 'object',
    properties: { 'na\u200bme': { enum: ['a\u202e', 1, null, true] } },
    required: ['na\u200bme'],
  }
  expect(cleanJson(schema)).toEqual({
    type: 'object',
    properties: { name: { enum: ['a', 1, null, true] } },
    required: ['name'],
  })
})

test('M17 a schema without a bottom costs no stack', () => {
  let deep: unknown = {}
  for (let level = 0; level < 100_000; level += 1) deep = { items: deep }
  expect(JSON.stringify(cleanJson(deep)).length).toBeLessThan(1_000)
})

test('a key that names a prototype stays an ordinary key', () => {
  const cleaned = cleanJson(JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>)
  expect(Object.keys(cleaned)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})
