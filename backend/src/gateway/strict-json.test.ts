import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseStrictJson } from './strict-json.ts'

const parse = (text: string) => parseStrictJson(Buffer.from(text))

test('reads what JSON.parse reads, when it is not ambiguous', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      expect(parse(JSON.stringify(JSON.parse(text)))).toEqual(JSON.parse(text))
    }),
  )
})

test('finds a key that comes twice wherever it hides', () => {
  const keys = fc.constantFrom('name', 'a', '', '{', '"', '\\', ':', ',', 'é', '__proto__')
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), keys, fc.boolean(), (inner, key, escaped) => {
      const written = JSON.stringify(key)
      const again = escaped ? `"${[...key].map(escapeOf).join('')}"` : written
      const twice = `{${written}:${JSON.stringify(inner)},"between":[{}],${again}:1}`
      expect(() => parse(twice)).toThrow(/comes twice/)
      expect(() => parse(`{"outer":[1,${twice}]}`)).toThrow(/comes twice/)
      expect(parse(`[{${written}:1},{${again}:2}]`)).toHaveLength(2)
    }),
  )
})

const escapeOf = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`

test.each([
  ['a byte order mark', Buffer.from('\ufeff{}'), /byte order mark/],
  ['half a character', Buffer.from([0x22, 0xc3, 0x22]), /not UTF-8/],
  ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xae, 0x22]), /not UTF-8/],
  ['UTF-16', Buffer.from('{}', 'utf16le'), /JSON/],
  ['trailing bytes', Buffer.from('{} {}'), /JSON/],
  ['a NUL after the end', Buffer.from('{}\0'), /JSON/],
  ['a comment', Buffer.from('{/**/}'), /JSON/],
  ['depth', Buffer.from('['.repeat(65) + ']'.repeat(65)), /deeper than 64/],
  ['nothing', Buffer.alloc(0), /JSON/],
])('refuses %s', (_, bytes, why) => {
  expect(() => parseStrictJson(bytes)).toThrow(why)
})

test('takes what is as deep as allowed, and a long list', () => {
  expect(() => parse('['.repeat(64) + ']'.repeat(64))).not.toThrow()
  expect(parse(`[${'{"a":"b"},'.repeat(50_000)}1]`)).toHaveLength(50_001)
})
