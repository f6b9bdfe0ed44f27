import { expect, test } from 'vitest'
import { type ConfiguredRoad, doorOf, type KeptRoad, roadOf } from './road.choice.ts'

const kept = (road: KeptRoad['road'], over: ConfiguredRoad): KeptRoad => ({ road, reach: 'network', over })

test.each<[string, ConfiguredRoad, KeptRoad | undefined, string]>([
  ['nothing was asked for', 'tunnel', undefined, 'tunnel'],
  ['another one was asked for', 'tunnel', kept('direct', 'tunnel'), 'direct'],
  ['one was being tried', 'tunnel', kept('both', 'tunnel'), 'both'],
  ['it was asked back', 'direct', kept('tunnel', 'direct'), 'tunnel'],
  ['somebody has configured another one since: the later word', 'direct', kept('tunnel', 'tunnel'), 'direct'],
  ['somebody has configured it back since', 'tunnel', kept('direct', 'direct'), 'tunnel'],
])('the road when %s', (_, configured, asked, road) => {
  expect(roadOf(configured, asked).road).toBe(road)
})

const installed = { host: '127.0.0.1', plain: true }
const dialled = { host: '0.0.0.0', plain: false }

test('the configured road has the configured door', () => {
  expect(doorOf({ road: 'tunnel', reach: 'network' }, 'tunnel', installed)).toEqual(installed)
  expect(doorOf({ road: 'direct', reach: 'network' }, 'direct', dialled)).toEqual(dialled)
  expect(doorOf({ road: 'both', reach: 'network' }, 'direct', dialled)).toEqual(dialled)
})

test.each(['direct', 'both'] as const)('by the road %s it is dialled from outside, and by https alone', (road) => {
  expect(doorOf({ road, reach: 'network' }, 'tunnel', installed)).toEqual({ host: '0.0.0.0', plain: false })
  // Whoever dials is on the same machine: nobody else need come.
  expect(doorOf({ road, reach: 'machine' }, 'tunnel', installed)).toEqual({ host: '127.0.0.1', plain: false })
  // In a container of its own network all is open, and Docker publishes what it wants.
  expect(doorOf({ road, reach: 'network' }, 'tunnel', { host: '0.0.0.0', plain: true }).plain).toBe(false)
})

test('by the tunnel nobody comes from outside any more', () => {
  expect(doorOf({ road: 'tunnel', reach: 'network' }, 'direct', dialled)).toEqual({ host: '127.0.0.1', plain: false })
})

test('an address that somebody has chosen stays', () => {
  for (const road of ['direct', 'both', 'tunnel'] as const)
    for (const configured of ['direct', 'tunnel'] as const)
      expect(doorOf({ road, reach: 'network' }, configured, { host: '10.0.0.5', plain: false }).host).toBe('10.0.0.5')
})
