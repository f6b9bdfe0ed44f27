import { expect, test } from 'vitest'
import { maskArguments } from './mask.ts'

const shown = (args: Record<string, unknown>) => JSON.parse(maskArguments(args)) as unknown

test('what is named like a secret is masked, whatever it holds, and what is not stays', () => {
  expect(
    shown({
      path: '/etc/hosts',
      password: 'hunter2',
      pin: 1234,
      auth: { user: 'alice', codes: ['a', 'b'] },
      headers: { Authorization: 'Basic abc', Accept: 'text/plain' },
      max_tokens: 500,
      force: true,
      passage: 'a text',
    }),
  ).toEqual({
    path: '/etc/hosts',
    password: '•••',
    pin: '•••',
    auth: { user: '•••', codes: ['•••', '•••'] },
    headers: { Authorization: '•••', Accept: 'text/plain' },
    max_tokens: 500,
    force: true,
    passage: 'a text',
  })
})

test.each([
  ['ghp_abcdefghijklmnopqrstuv0123456789ABCD'],
  ['sk-proj-abcdefghijklmnop'],
  ['AKIAABCDEFGHIJKLMNOP'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh'],
  ['-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----'],
  ['abcdefgh12345678', 'Authorization: Bearer '],
  ['s3cret', 'postgres://alice:', '@db/mail'],
])('a secret inside a text is masked: %s', (secret, before = 'curl ', after = ' and on') => {
  expect(shown({ command: before + secret + after })).toEqual({ command: `${before}•••${after}` })
})

test('hidden characters are written out', () => {
  expect(shown({ to: 'bob\u202e@example.com\u200b' })).toEqual({ to: 'bob\\u{202e}@example.com\\u{200b}' })
})

test('what is long is cut, and says so; what is deep ends', () => {
  expect(shown({ text: 'x'.repeat(5_000) })).toEqual({ text: `${'x'.repeat(2_000)}… of 5000 characters` })
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, 'v']))
  expect(maskArguments(many)).toMatch(/\n… \d+ characters more$/)
  let deep: object = {}
  for (let n = 0; n < 1_000; n += 1) deep = { deep }
  expect(maskArguments({ deep }).length).toBeLessThan(10_000)
})
