import { expect, test } from 'vitest'
import { runningStatus } from '../tools/tool-status.testing.ts'
import { type GroupFacts, type MemberFacts, nextStep } from './group.step.ts'

const member = (over: Partial<MemberFacts> = {}): MemberFacts => ({
  desired: 'running',
  generation: 1,
  begun: true,
  status: null,
  refusal: null,
  ...over,
})
const waiting = member({ begun: false })
const begun = member()
const ready = member({ status: runningStatus() })
const silent = member({ status: runningStatus({ mcp: undefined }) })
const broken = member({
  status: runningStatus({ state: 'blocked', reason: 'image_not_found', message: 'no such image' }),
})
const looping = member({ status: runningStatus({ state: 'exited', reason: 'crash_loop' }) })
const unreachable = member({ status: runningStatus({ state: 'blocked', reason: 'registry_unreachable' }) })
const secretive = member({ status: runningStatus({ state: 'blocked', reason: 'missing_credential', mcp: undefined }) })
const refused = member({ refusal: { generation: 1, message: 'not like this' } })
const outdated = member({ generation: 2, status: runningStatus({ state: 'blocked', reason: 'image_not_found' }) })
const leaving = member({ desired: 'absent' })

const is = (id: string) => ({ instanceId: id, name: id, toolId: 'x' })
/** `b` depends on `a`, and `a` on nothing. */
const group = (there: Record<string, MemberFacts>, over: Partial<GroupFacts> = {}): GroupFacts => ({
  desired: 'present',
  state: 'deploying',
  members: [
    { ...is('a'), needs: [] },
    { ...is('b'), needs: [{ instanceId: 'a', name: 'a' }] },
  ],
  toolbox: { status: 'active' },
  instanceOf: (id) => there[id],
  isOverdue: false,
  ...over,
})
const said = (facts: GroupFacts): string => {
  const step = nextStep(facts)
  if ('failure' in step) return `undo: ${step.failure.member}: ${step.failure.message}`
  return 'instanceId' in step ? `${step.kind} ${step.instanceId}` : step.kind
}
const undoing = { state: 'undoing' } as const
const unwanted = { desired: 'absent', state: 'ready' } as const

test.each<[string, GroupFacts, string]>([
  ['begins the one that depends on nothing', group({ a: waiting, b: waiting }), 'begin a'],
  ['lets the other wait until it is ready', group({ a: begun, b: waiting }), 'wait'],
  ['takes none for ready that does not speak MCP', group({ a: silent, b: waiting }), 'wait'],
  ['begins the other then', group({ a: ready, b: waiting }), 'begin b'],
  ['goes on after one whose secrets are the agents’', group({ a: secretive, b: waiting }), 'begin b'],
  ['is ready when all are', group({ a: ready, b: ready }), 'ready'],
  ['is undone when one cannot run', group({ a: ready, b: broken }), 'undo: b: no such image'],
  ['is undone when one ends again and again', group({ a: looping, b: waiting }), 'undo: a: a did not become ready'],
  ['is undone when the toolbox refuses one', group({ a: refused, b: waiting }), 'undo: a: not like this'],
  ['does not take an older generation for the present one', group({ a: outdated, b: waiting }), 'wait'],
  ['waits for a registry that does not answer', group({ a: unreachable, b: waiting }), 'wait'],
  ['but not for ever', group({ a: begun, b: waiting }, { isOverdue: true }), 'undo: a: a did not become ready in time'],
  ['touches nothing on a silent toolbox', group({ a: broken }, { toolbox: { status: 'unresponsive' } }), 'wait'],
  ['takes back the last one first', group({ a: ready, b: broken }, undoing), 'take-back b'],
  ['waits until that is gone', group({ a: ready, b: leaving }, undoing), 'wait'],
  ['then takes back the one before', group({ a: ready }, undoing), 'take-back a'],
  ['has failed when none is left', group({}, undoing), 'failed'],
  [
    'leaves alone what stands, whatever becomes of its members',
    group({ a: broken, b: looping }, { state: 'ready' }),
    'rest',
  ],
  ['leaves alone what has failed', group({}, { state: 'failed' }), 'rest'],
  ['is removed in the reverse order', group({ a: ready, b: ready }, unwanted), 'take-back b'],
  ['is removed while it is deployed', group({ a: begun, b: waiting }, { desired: 'absent' }), 'take-back b'],
  ['is forgotten when none is left', group({}, unwanted), 'forget'],
])('%s', (_, facts, expected) => {
  expect(said(facts)).toBe(expected)
})

test('a tool outside the group that a member needs is waited for, never taken back, and its end is the end of the group', () => {
  const members = [{ ...is('a'), needs: [{ instanceId: 'outside', name: 'store' }] }]
  expect(said(group({ a: waiting, outside: begun }, { members }))).toBe('wait')
  expect(said(group({ a: waiting, outside: ready }, { members }))).toBe('begin a')
  const gone = 'undo: a: store, which it depends on, is not there'
  expect(said(group({ a: waiting, outside: leaving }, { members }))).toBe(gone)
  expect(said(group({ a: waiting }, { members }))).toBe(gone)
  expect(said(group({ outside: ready }, { members, ...undoing }))).toBe('failed')
  const late = group({ a: waiting, outside: begun }, { members, isOverdue: true })
  expect(said(late)).toBe('undo: a: store, which it depends on, did not become ready in time')
})
