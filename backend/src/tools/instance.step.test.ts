import type { ToolStatus } from '@agentopia/dtma/contract'
import { expect, test } from 'vitest'
import { type InstanceFacts, nextStep } from './instance.step.ts'
import { runningStatus } from './tool-status.testing.ts'

const observed = (over: Partial<ToolStatus> = {}) => runningStatus({ generation: 2, ...over })
const row = (over: Partial<InstanceFacts> = {}): InstanceFacts => ({
  desired: 'running',
  generation: 2,
  begun: true,
  status: observed(),
  refusal: null,
  capabilityDigest: 'd1',
  ...over,
})

test.each([
  ['leaves alone what is as it was asked for', row(), 'active', 'settled'],
  ['sends what the toolbox has never heard of', row({ status: null }), 'active', 'put'],
  ['sends a newer generation', row({ generation: 3 }), 'active', 'put'],
  ['sends a changed wish of the same generation', row({ desired: 'stopped' }), 'active', 'put'],
  ['goes above a generation that it has forgotten', row({ generation: 1 }), 'active', 'overtake'],
  [
    'does not repeat what was refused',
    row({ status: null, refusal: { generation: 2, message: 'no' } }),
    'active',
    'settled',
  ],
  [
    'tries again once a refused spec has changed',
    row({ generation: 3, refusal: { generation: 2, message: 'no' } }),
    'active',
    'put',
  ],
  ['reads capabilities that are new', row({ capabilityDigest: null }), 'active', 'discover'],
  [
    'does not ask a tool that is not running for capabilities',
    row({ capabilityDigest: null, status: observed({ state: 'exited' }) }),
    'active',
    'settled',
  ],
  [
    'leaves it to the agents what is offered once each has a container of its own',
    row({ status: observed({ state: 'blocked', reason: 'missing_credential' }) }),
    'active',
    'hand-over',
  ],
  [
    'says nothing of what such an instance offers itself',
    row({ capabilityDigest: null, status: observed({ state: 'blocked', reason: 'missing_credential' }) }),
    'active',
    'settled',
  ],
  ['waits for its turn in its group', row({ begun: false, status: null }), 'active', 'wait'],
  ['removes what nobody wants before its turn', row({ begun: false, desired: 'absent' }), 'active', 'remove'],
  ['removes what nobody wants', row({ desired: 'absent' }), 'active', 'remove'],
  ['touches nothing on a silent toolbox', row({ desired: 'absent' }), 'unresponsive', 'wait'],
  ['forgets what was on a toolbox that is gone', row({ desired: 'absent' }), 'deprovisioned', 'remove'],
] as const)('%s', (_, facts, status, expected) => {
  expect(nextStep(facts, { status })).toBe(expected)
})
