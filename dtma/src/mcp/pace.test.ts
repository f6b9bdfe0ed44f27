import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPace } from './pace.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** A stream of which each chunk takes so many milliseconds. */
function taking(ms: number, pace = createPace()): PassThrough {
  const stream = new PassThrough()
  pace.read(stream, () => vi.advanceTimersByTime(ms))
  return stream
}

const soon = () => new Promise((resolve) => setImmediate(resolve))

async function print(stream: PassThrough): Promise<boolean> {
  stream.write('x')
  await soon()
  return stream.isPaused()
}

test('what takes little is read at once, however often it comes', async () => {
  const stream = taking(1)
  for (let n = 0; n < 100; n += 1) {
    expect(await print(stream)).toBe(false)
    vi.advanceTimersByTime(2)
  }
})

test('a large answer now and then waits for nothing, and what takes long after it waits for about as long as it took together', async () => {
  const stream = taking(30)
  expect(await print(stream)).toBe(false)
  expect(await print(stream)).toBe(true)
  vi.advanceTimersByTime(39)
  expect(stream.isPaused()).toBe(true)
  vi.advanceTimersByTime(1)
  expect(stream.isPaused()).toBe(false)
})

test('the streams of one tool share its time', async () => {
  const pace = createPace()
  expect(await print(taking(30, pace))).toBe(false)
  expect(await print(taking(30, pace))).toBe(true)
})

test('that we were halted for an hour makes no tool wait for long', async () => {
  const stream = taking(3_600_000)
  expect(await print(stream)).toBe(true)
  vi.advanceTimersByTime(1_000)
  expect(stream.isPaused()).toBe(false)
})
