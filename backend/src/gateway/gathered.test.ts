import { expect, test } from 'vitest'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import { createGathered, MOST_GATHERED } from './gathered.ts'

function gathered() {
  const clock = manualClock()
  const end = new AbortController()
  const said: string[] = []
  const gather = createGathered({ clock, everyMs: 1_000, signal: end.signal })
  return { clock, end, said, say: (key: string, what = key) => gather(key, () => void said.push(what)) }
}

test('the first is passed on at once, and what follows within the time once, as it was last', async () => {
  const { clock, said, say } = gathered()
  for (const what of ['first', 'second', 'third']) say('key', what)
  expect(said).toEqual(['first'])
  await clock.advance(999)
  expect(said).toEqual(['first'])
  await clock.advance(1)
  expect(said).toEqual(['first', 'third'])
})

test('a thousand a second for ten seconds are one a second, and the last is among them', async () => {
  const { clock, said, say } = gathered()
  for (let ms = 0; ms < 10_000; ms += 1) {
    say('key', `at ${ms}`)
    await clock.advance(1)
  }
  await clock.advance(10_000)
  expect(said).toEqual(['at 0', ...Array.from({ length: 10 }, (_, second) => `at ${second * 1_000 + 999}`)])
})

test('after a quiet time the next is passed on at once; keys do not wait for each other', async () => {
  const { clock, said, say } = gathered()
  say('a')
  say('b')
  expect(said).toEqual(['a', 'b'])
  await clock.advance(1_000)
  say('a')
  expect(said).toEqual(['a', 'b', 'a'])
})

test('nothing is passed on after the end, and nobody waits', async () => {
  const { clock, end, said, say } = gathered()
  say('key', 'first')
  say('key', 'second')
  end.abort()
  await clock.advance(5_000)
  say('another')
  expect([said, clock.sleepers]).toEqual([['first'], 0])
})

test('who makes up keys without end fills no memory', async () => {
  const { said, say } = gathered()
  for (let key = 0; key < 2 * MOST_GATHERED; key += 1) say(`key ${key}`)
  expect(said.length).toBe(MOST_GATHERED)
})
