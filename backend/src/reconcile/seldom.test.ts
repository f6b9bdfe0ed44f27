import { expect, test } from 'vitest'
import { createSeldom } from './seldom.ts'

function scene() {
  let time = 0
  const isDue = createSeldom({ steady: () => time }, 60_000)
  return {
    isDue,
    pass(ms: number) {
      time += ms
    },
  }
}

test('the first use of a key is due, and another one when the time is over', () => {
  const { isDue, pass } = scene()
  expect([isDue('a'), isDue('a'), isDue('b')]).toEqual([true, false, true])
  pass(59_999)
  expect(isDue('a')).toBe(false)
  pass(1)
  expect([isDue('a'), isDue('a')]).toEqual([true, false])
})

test('of many keys those are forgotten that were due longest ago', () => {
  const { isDue } = scene()
  for (let n = 0; n <= 10_000; n++) isDue(`key ${n}`)
  expect([isDue('key 10000'), isDue('key 1'), isDue('key 0')]).toEqual([false, false, true])
})
