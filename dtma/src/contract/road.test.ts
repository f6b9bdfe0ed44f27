import { expect, test } from 'vitest'
import { RoadState } from './road.ts'

test.each([
  [0, false],
  [1, true],
  [65_535, true],
  [65_536, false],
  [1.5, false],
])('a road that says port %d is believed: %s', (port, isBelieved) => {
  const said = { road: 'both', host: '0.0.0.0', port, publicKey: 'key' }
  expect(RoadState.safeParse(said).success).toBe(isBelieved)
})
