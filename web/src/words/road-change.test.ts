import type { RoadChange, Toolbox } from '@agentopia/api'
import { expect, test } from 'vitest'
import {
  canChangeRoad,
  isChangingRoad,
  otherRoad,
  roadChangeMeaning,
  titleOfRoadChange,
  toneOfRoadChange,
} from './road-change.ts'

const change = (over: Partial<RoadChange>): RoadChange => ({
  to: 'direct',
  phase: 'asked',
  askedAt: '2026-01-01T00:00:00.000Z',
  ...over,
})

test.each([
  ['asked', true, 'busy'],
  ['trying', true, 'busy'],
  ['closing', true, 'busy'],
  ['undoing', true, 'busy'],
  ['done', false, 'ok'],
  ['failed', false, 'warn'],
] as const)('a change of the road that is %s', (phase, under, tone) => {
  expect([isChangingRoad(change({ phase })), toneOfRoadChange(change({ phase }))]).toEqual([under, tone])
})

test('its words say where to, how far, and why not', () => {
  const failed = change({ phase: 'failed', message: 'Nothing comes back from its address' })
  expect(titleOfRoadChange(failed)).toBe('To the direct road: failed')
  expect(roadChangeMeaning(failed)).toBe('Nothing comes back from its address. The road is the one that it was.')
  expect(titleOfRoadChange(change({ to: 'tunnel', phase: 'trying' }))).toBe('To the tunnel: trying')
})

test('it may be asked for while the toolbox is active and no other one is under way', () => {
  const toolbox = (over: Partial<Toolbox>) => ({ status: 'active', ...over }) as Toolbox
  expect(canChangeRoad(toolbox({}))).toBe(true)
  expect(canChangeRoad(toolbox({ roadChange: change({ phase: 'done' }) }))).toBe(true)
  expect(canChangeRoad(toolbox({ roadChange: change({ phase: 'trying' }) }))).toBe(false)
  expect(canChangeRoad(toolbox({ roadChange: change({ phase: 'undoing' }) }))).toBe(true)
  expect(canChangeRoad(toolbox({ status: 'unresponsive' }))).toBe(false)
  expect(otherRoad(toolbox({}))).toBe('direct')
  expect(otherRoad(toolbox({ direct: { port: 30_000, plainHttp: false } }))).toBe('tunnel')
})
