import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createOwnSecretFinder, OWN_SECRET } from './own-secret.ts'
import { SHORTEST_SECRET } from './secret-forms.ts'

const value = fc
  .string({ minLength: SHORTEST_SECRET, maxLength: 80, unit: 'binary-ascii' })
  .filter((text) => text.trim().length >= SHORTEST_SECRET)
const around = fc.string({ maxLength: 30 })

const cleaned = (secret: string, text: string) => {
  const kinds: string[] = []
  return { text: createOwnSecretFinder([secret]).without(text, (kind) => kinds.push(kind)), kinds }
}
const WRITTEN: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => secret,
  'in JSON': (secret) => JSON.stringify({ secret }),
  'in JSON in JSON': (secret) => JSON.stringify(JSON.stringify({ secret })),
  'in an address': (secret) => `https://example.com/?key=${encodeURIComponent(secret)}`,
  'in an address, in lower case': (secret) =>
    encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase()),
  'in a form': (secret) => new URLSearchParams({ secret }).toString(),
  'in hexadecimal digits': (secret) => Buffer.from(secret).toString('hex'),
}

test.each(Object.entries(WRITTEN))('M10 a secret of the agent is taken out, written %s', (_, write) => {
  fc.assert(
    fc.property(value, around, around, (secret, before, after) => {
      const found = cleaned(secret, `${before} ${write(secret)} ${after}`)
      expect(found.kinds).toContain(OWN_SECRET)
      expect(found.text).not.toContain(secret)
    }),
  )
})

test('M10 a secret of the agent is taken out of base64, wherever it stands in it, and what is left is base64', () => {
  fc.assert(
    fc.property(value, around, around, fc.constantFrom('base64', 'base64url'), (secret, before, after, alphabet) => {
      const [first, last] = [Buffer.from(before), Buffer.from(after)]
      const encoded = Buffer.concat([first, Buffer.from(secret), last]).toString(alphabet as 'base64')
      const found = cleaned(secret, encoded)
      expect(found.kinds).not.toEqual([])
      expect(found.text).toHaveLength(encoded.length)
      const decoded = Buffer.from(found.text, alphabet as 'base64').toString('latin1')
      expect(decoded).not.toContain(Buffer.from(secret).toString('latin1'))
    }),
  )
})

test('what is not the secret stays, and so does a text in which it is not', () => {
  const text = 'the key is not here'
  expect(cleaned('s3cr3t-value', text).text).toBe(text)
  expect(cleaned('s3cr3t-value', 'a s3cr3t-value b').text).toBe('a [redacted: own-secret] b')
  expect(cleaned('$&$1$&', 'x$&$1$&y').text).toBe('x[redacted: own-secret]y')
})

test('a value that is too short to be told from chance is not looked for', () => {
  expect(cleaned('12345', 'room 12345')).toEqual({ text: 'room 12345', kinds: [] })
})
