import { expect, test } from 'vitest'
import type { RoadProgress } from '../store/schema/toolboxes.ts'
import {
  afterTry,
  afterUnshut,
  HEARD_MS,
  isChanging,
  LAST_CALLS_MS,
  nextStep,
  type RoadFacts,
  type RoadFailure,
  roadChangeOf,
  roadOf,
  TRIAL_MS,
  whileClosing,
} from './road-change.step.ts'

const asked = { attempt: 'a', road: 'direct', actor: 'ann', askedAt: '2026-01-01T00:00:00.000Z' } as const
const failure = { reason: 'refused', message: 'No', evidence: ['port: refused'], nextStep: 'Open it.' }
const at = (phase: RoadProgress['phase'], over: Partial<RoadProgress> = {}): Partial<RoadFacts> => ({
  roadProgress: { attempt: 'a', phase, at: '2026-01-01T00:00:01.000Z', ...over },
})
const facts = (more: Partial<RoadFacts>): RoadFacts => ({
  desired: 'present',
  direct: null,
  roadAsked: asked,
  roadProgress: null,
  ...more,
})

test.each<[string, Partial<RoadFacts>, string, string | undefined, boolean]>([
  ['never asked for', { roadAsked: null }, 'settled', undefined, false],
  ['asked for', {}, 'try', 'asked', true],
  ['being tried', at('trying'), 'try', 'trying', true],
  ['proven', at('closing'), 'close', 'closing', true],
  ['not coming up', at('undoing', { failure }), 'undo', 'undoing', false],
  ['done', at('done'), 'settled', 'done', false],
  ['failed', at('failed', { failure }), 'settled', 'failed', false],
  ['asked for again after it failed', at('failed', { attempt: 'before', failure }), 'try', 'asked', true],
  ['of a toolbox that is to go', { ...at('trying'), desired: 'absent' }, 'settled', 'trying', true],
])('a change of the road that is %s', (_, more, step, phase, under) => {
  const row = facts(more)
  expect([nextStep(row), roadChangeOf(row)?.phase, isChanging(row)]).toEqual([step, phase, under])
})

test('what people see says why it failed, and nothing of an attempt before', () => {
  expect(roadChangeOf(facts(at('failed', { failure })))).toEqual({
    to: 'direct',
    phase: 'failed',
    askedAt: asked.askedAt,
    ...failure,
  })
  expect(roadChangeOf(facts(at('failed', { attempt: 'before', failure })))).not.toHaveProperty('message')
})

test('the road in use is the direct one when it is said where it is dialled', () => {
  expect(roadOf({ direct: null })).toBe('tunnel')
  expect(roadOf({ direct: { port: 30_000, plainHttp: false } })).toBe('direct')
})

const lost: RoadFailure = { ...failure, isFinal: false }
test.each<[string, RoadFailure | undefined, number, string]>([
  ['that answered', undefined, 0, 'use'],
  ['that answered late', undefined, TRIAL_MS * 2, 'use'],
  ['that does not answer yet', lost, TRIAL_MS - 1, 'again'],
  ['that did not answer in time', lost, TRIAL_MS, 'give-up'],
  ['where somebody else is', { ...lost, isFinal: true }, 0, 'give-up'],
])('after a try of a road %s', (_, seen, triedMs, then) => {
  expect(afterTry(seen, triedMs)).toBe(then)
})

test.each<[string, Parameters<typeof whileClosing>[0], string]>([
  ['not everybody has heard of the new one', { inFlight: 0, closingMs: HEARD_MS - 1 }, 'wait'],
  ['calls are under way on the one before', { inFlight: 2, closingMs: HEARD_MS }, 'wait'],
  ['the last has ended', { inFlight: 0, closingMs: HEARD_MS }, 'tell'],
  ['one does not end', { inFlight: 1, closingMs: LAST_CALLS_MS }, 'tell'],
  ['the new one carries nothing for a moment', { inFlight: 0, closingMs: 1_000, failed: true }, 'wait'],
  ['the new one is lost', { inFlight: 0, closingMs: LAST_CALLS_MS + TRIAL_MS, failed: true }, 'go-back'],
])('while the road before is closed and %s', (_, seen, then) => {
  expect(whileClosing(seen)).toBe(then)
})

test('a firewall that cannot be shut is left when that is final, or has lasted too long', () => {
  const bound = LAST_CALLS_MS + TRIAL_MS
  expect([afterUnshut(true, 0), afterUnshut(false, bound - 1), afterUnshut(false, bound)]).toEqual([
    'leave',
    'again',
    'leave',
  ])
})
