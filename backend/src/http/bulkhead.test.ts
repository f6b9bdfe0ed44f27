import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createBulkhead } from './bulkhead.ts'
import { RateLimited } from './rate-limited.ts'

const patient = { signal: new AbortController().signal, longestMs: 5_000 }

/** Something that runs until it is let go. */
function work() {
  const { promise, resolve } = Promise.withResolvers<string>()
  let began = false
  return {
    act: () => {
      began = true
      return promise
    },
    end: () => resolve('done'),
    get began() {
      return began
    },
  }
}

test('so many run, so many wait in order, and the next is told to come again', async () => {
  const { enter } = createBulkhead({ atOnce: 2, waiting: 2, of: 'calls' })
  const works = [work(), work(), work(), work()]
  const ends = works.map(({ act }) => enter('slow', patient, act))
  await expect(enter('slow', patient, work().act)).rejects.toBeInstanceOf(RateLimited)
  expect(works.map(({ began }) => began)).toEqual([true, true, false, false])
  works[1]!.end()
  await ends[1]
  expect(works.map(({ began }) => began)).toEqual([true, true, true, false])
  for (const { end } of works) end()
  expect(await Promise.all(ends)).toEqual(['done', 'done', 'done', 'done'])
})

test('a full room leaves the others empty', async () => {
  const { enter } = createBulkhead({ atOnce: 1, waiting: 0, of: 'calls' })
  const slow = work()
  const held = enter('slow', patient, slow.act)
  expect(await enter('fast', patient, async () => 'at once')).toBe('at once')
  slow.end()
  await held
})

test('who gives up, or waited too long, leaves the queue and does not run', async () => {
  const { enter } = createBulkhead({ atOnce: 1, waiting: 2, of: 'calls' })
  const [slow, given, late] = [work(), work(), work()]
  const held = enter('slow', patient, slow.act)
  const gone = new AbortController()
  const givenUp = enter('slow', { signal: gone.signal, longestMs: 5_000 }, given.act)
  const waited = enter('slow', { ...patient, longestMs: 20 }, late.act)
  gone.abort(new Error('the client went away'))
  await expect(givenUp).rejects.toThrow('the client went away')
  await expect(waited).rejects.toBeInstanceOf(RateLimited)
  slow.end()
  await held
  await sleep(5)
  expect([given.began, late.began]).toEqual([false, false])
  expect(await enter('slow', patient, async () => 'room again')).toBe('room again')
})

test('what fails makes room too', async () => {
  const { enter } = createBulkhead({ atOnce: 1, waiting: 1, of: 'calls' })
  const failing = enter('slow', patient, () => Promise.reject(new Error('broken')))
  const next = enter('slow', patient, async () => 'next')
  await expect(failing).rejects.toThrow('broken')
  expect(await next).toBe('next')
})
