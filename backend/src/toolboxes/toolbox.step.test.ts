import { expect, test } from 'vitest'
import type { Machine } from '../providers/provider.ts'
import { nextStep, type ToolboxFacts } from './toolbox.step.ts'

const NOW = 10_000_000
const machine = (over: Partial<Machine> = {}): Machine => ({
  ref: 'c',
  state: 'running',
  current: true,
  description: '',
  ...over,
})
const exited = (code: number, secondsAgo: number, over: Partial<Machine> = {}) =>
  machine({ state: 'stopped', exit: { code, at: new Date(NOW - secondsAgo * 1_000) }, ...over })
const facts = (over: Partial<ToolboxFacts>): ToolboxFacts => ({
  desired: 'present',
  status: 'active',
  firstLook: false,
  now: NOW,
  ...over,
})

test.each([
  ['makes the machine of a new toolbox', { status: 'pending_provision' }, 'create'],
  ['tries again after an error', { status: 'error_provisioning' }, 'create'],
  ['makes the machine again that somebody removed', { status: 'active' }, 'create'],
  ['makes it again also while the first heartbeat is awaited', { status: 'awaiting_heartbeat' }, 'create'],
  ['replaces a machine of an old recipe', { machine: machine({ current: false }) }, 'create'],
  ['lets a machine start', { status: 'provisioning', machine: machine({ state: 'creating' }) }, 'wait'],
  ['awaits the heartbeat of a machine that runs', { status: 'provisioning', machine: machine() }, 'await'],
  [
    'awaits it also after a crash of ours right after the creation',
    { status: 'pending_provision', machine: machine() },
    'await',
  ],
  [
    'waits while the enrolment token is good',
    { status: 'awaiting_heartbeat', machine: machine(), tokenExpiresAt: NOW + 1 },
    'wait',
  ],
  [
    'renews an expired enrolment token',
    { status: 'awaiting_heartbeat', machine: machine(), tokenExpiresAt: NOW },
    'renew-token',
  ],
  [
    'gives a token to a waiting machine without one',
    { status: 'awaiting_heartbeat', machine: machine() },
    'renew-token',
  ],
  ['leaves alone what works', { machine: machine() }, 'none'],
  ['leaves a silent toolbox to itself while its machine runs', { status: 'unresponsive', machine: machine() }, 'none'],
  ['respects a stop by hand', { machine: exited(0, 3_600) }, 'none'],
  ['respects a stop by hand also of an old recipe', { machine: exited(143, 3_600, { current: false }) }, 'none'],
  ['respects a pause', { machine: machine({ state: 'paused' }) }, 'none'],
  ['respects a pause also when the product starts', { machine: machine({ state: 'paused' }), firstLook: true }, 'none'],
  ['starts what was stopped when the product starts', { machine: exited(0, 3_600), firstLook: true }, 'start'],
  [
    'replaces what was stopped and is old when the product starts',
    { machine: exited(0, 9, { current: false }), firstLook: true },
    'create',
  ],
  ['lets a killed machine rest for a minute', { machine: exited(137, 59) }, 'wait'],
  ['starts a killed machine after a minute', { machine: exited(137, 60) }, 'start'],
  ['touches nothing in quarantine', { status: 'quarantined' }, 'none'],
  ['deprovisions what nobody wants', { desired: 'absent', machine: machine() }, 'deprovision'],
  ['goes on deprovisioning after a crash', { desired: 'absent', status: 'deprovisioning' }, 'deprovision'],
  [
    'tries again to deprovision',
    { desired: 'absent', status: 'error_deprovisioning', machine: machine() },
    'deprovision',
  ],
  ['is done with what is deprovisioned', { desired: 'absent', status: 'deprovisioned' }, 'none'],
] as const satisfies readonly (readonly [string, Partial<ToolboxFacts>, string])[])('%s', (_, over, kind) => {
  expect(nextStep(facts(over)).kind).toBe(kind)
})

test('the rest of a killed machine is counted from its end', () => {
  expect(nextStep(facts({ machine: exited(137, 20) }))).toEqual({ kind: 'wait', ms: 40_000 })
})
