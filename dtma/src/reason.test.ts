import { expect, test } from 'vitest'
import { reasonOf } from './reason.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:3000'), { code: 'ECONNREFUSED' })
const own = new Error('x')
own.cause = own

test.each([
  ['an error', new Error('the disk is full'), 'the disk is full'],
  ['the cause of an error', new TypeError('fetch failed', { cause: refused }), `fetch failed: ${refused.message}`],
  ['a code that the words do not say', Object.assign(new Error('gone'), { code: 'EPIPE' }), 'gone (EPIPE)'],
  [
    'one of many addresses that were tried',
    Object.assign(new AggregateError([new Error('first'), refused]), { code: 'ECONNREFUSED' }),
    `ECONNREFUSED: ${refused.message}`,
  ],
  ['what is no error', 'plain words', 'plain words'],
  ['an error without words', new Error(''), 'unknown'],
  ['an error that is its own cause', own, 'x'],
])('tells %s', (_, error, reason) => {
  expect(reasonOf(error)).toBe(reason)
})

test('a connection that nobody takes is told with its address', async () => {
  const failed = await fetch('http://127.0.0.1:9').catch((error: unknown) => error)
  expect(reasonOf(failed)).toMatch(/fetch failed: .*(?:127\.0\.0\.1:9|bad port)/)
})
