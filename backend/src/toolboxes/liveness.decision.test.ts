import { expect, test } from 'vitest'
import { type ActiveToolbox, isSuspect, judgeSilence, type Watch } from './liveness.decision.ts'

const NOW = 10_000_000
const watching: Watch = { listeningSince: 0, flips: [] }
const silentFor = (seconds: number, id = 'a'): ActiveToolbox => ({ id, lastHeartbeatAt: NOW - seconds * 1_000 })
const fleet = (total: number, silent: number) =>
  Array.from({ length: total }, (_, i) => silentFor(i < silent ? 61 : 5, `toolbox ${i}`))

test.each([
  ['a toolbox that was just heard stays active', 5, []],
  ['a toolbox that is suspect stays active', 59.9, []],
  ['a toolbox is unresponsive after a minute of silence', 60, ['a']],
])('%s', (_, seconds, expected) => {
  expect(judgeSilence([silentFor(seconds)], watching, NOW).unresponsive).toEqual(expected)
})

test.each([
  ['not yet suspect', 29.9, 0, false],
  ['suspect from thirty seconds', 30, 0, true],
  ['not suspect while we have listened for less', 3_600, NOW - 29_000, false],
])('silence is counted by what we could hear: %s', (_, seconds, since, expected) => {
  expect(isSuspect(silentFor(seconds).lastHeartbeatAt, since, NOW)).toBe(expected)
})

test.each([
  ['within the grace after our start, a toolbox not heard since is left alone', 3_600, 299, []],
  ['after the grace it is unresponsive', 3_600, 300, ['a']],
  ['a toolbox that was heard since our start has no grace', 70, 120, ['a']],
])('%s', (_, silence, listening, expected) => {
  const watch = { listeningSince: NOW - listening * 1_000, flips: [] }
  expect(judgeSilence([silentFor(silence)], watch, NOW).unresponsive).toEqual(expected)
})

test.each([
  ['two of two toolboxes may fall silent together', 2, 2, 2],
  ['three of three at once are held back', 3, 3, 0],
  ['two of twenty are believed', 20, 2, 2],
  ['five of twenty are believed', 20, 5, 5],
  ['six of twenty are held back', 20, 6, 0],
  ['twelve of twenty are held back', 20, 12, 0],
])('%s', (_, total, silent, expected) => {
  expect(judgeSilence(fleet(total, silent), watching, NOW).unresponsive).toHaveLength(expected)
})

test('toolboxes that fall silent one after the other within a minute count together', () => {
  const first = judgeSilence(fleet(10, 2), watching, NOW)
  expect(first.unresponsive).toHaveLength(2)
  const second = judgeSilence(fleet(8, 1), first.watch, NOW)
  expect(second).toMatchObject({ unresponsive: [], breaker: 'frozen' })
})

test('a freeze is told once, and released when the silence ends', () => {
  const first = judgeSilence(fleet(10, 6), watching, NOW)
  expect(first.breaker).toBe('frozen')
  const second = judgeSilence(fleet(10, 6), first.watch, NOW)
  expect(second.breaker).toBeUndefined()
  const third = judgeSilence(fleet(10, 0), second.watch, NOW)
  expect(third).toMatchObject({ unresponsive: [], breaker: 'released' })
  expect(third.watch.frozenSince).toBeUndefined()
})

test('a mass silence that outlasts the freeze is believed', () => {
  const frozen = judgeSilence(fleet(10, 6), watching, NOW)
  const later = judgeSilence(fleet(10, 6), frozen.watch, NOW + 300_000)
  expect(later.unresponsive).toHaveLength(10)
  expect(later).toMatchObject({ breaker: 'released' })
})

test('what was believed after a freeze does not freeze the next decision', () => {
  const frozen = judgeSilence(fleet(10, 6), watching, NOW)
  const later = judgeSilence(fleet(10, 6), frozen.watch, NOW + 300_000)
  const next = judgeSilence([silentFor(61, 'other')], later.watch, NOW + 1_000)
  expect(next.unresponsive).toEqual(['other'])
})
