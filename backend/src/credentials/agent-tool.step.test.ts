import type { ToolStatus } from '@agentopia/dtma/contract'
import { expect, test } from 'vitest'
import { type AgentToolFacts, nextStep } from './agent-tool.step.ts'

const status = (over: Partial<ToolStatus> = {}): ToolStatus => ({
  name: 'inst_0-agent_0',
  generation: 2,
  desired: 'running',
  state: 'running',
  since: '2026-01-01T00:00:00.000Z',
  restarts: 0,
  secrets: { held: 'cred.2', used: 'cred.2' },
  ...over,
})
const facts = (over: Partial<AgentToolFacts> = {}): AgentToolFacts => ({
  toolboxStatus: 'active',
  wanted: 'running',
  generation: 2,
  secretsVersion: 'cred.2',
  status: status(),
  curious: false,
  ...over,
})
const blocked = status({ state: 'blocked', reason: 'missing_credential', secrets: {} })
const looping = status({ state: 'exited', reason: 'crash_loop', secrets: { held: 'cred.2' } })

test.each([
  ['runs as it should: nothing', facts(), 'settled'],
  ['is not there: put it', facts({ status: undefined }), 'put'],
  ['is not there, and not wanted now: nothing', facts({ status: undefined, wanted: 'stopped' }), 'settled'],
  ['is of an older generation: put it', facts({ generation: 3 }), 'put'],
  ['is of a newer generation than ours: wait for the instance', facts({ generation: 1 }), 'settled'],
  ['is stopped and wanted: put it', facts({ status: status({ desired: 'stopped', state: 'exited' }) }), 'put'],
  ['runs and is not wanted for now: put it', facts({ wanted: 'stopped' }), 'put'],
  ['has no secrets yet: push them', facts({ status: blocked }), 'push'],
  ['K04 runs with older secrets: push the new ones', facts({ secretsVersion: 'cred.3' }), 'push'],
  [
    'K04 was given the new ones and still runs with the old: look again',
    facts({ status: status({ secrets: { held: 'cred.2', used: 'cred.1' } }) }),
    'look',
  ],
  [
    'runs with the right ones though a new DTMA holds none: nothing',
    facts({ status: status({ secrets: { used: 'cred.2' } }) }),
    'settled',
  ],
  ['K06 its secrets were revoked: withdraw them', facts({ secretsVersion: undefined }), 'withdraw'],
  ['they were withdrawn: keep it stopped', facts({ secretsVersion: undefined, status: blocked }), 'put'],
  [
    'they were withdrawn and it is stopped: nothing',
    facts({ secretsVersion: undefined, status: { ...blocked, desired: 'stopped' } }),
    'settled',
  ],
  ['K06 there never were any: no container', facts({ secretsVersion: undefined, status: undefined }), 'settled'],
  ['starts: look again', facts({ status: status({ state: 'starting', secrets: { held: 'cred.2' } }) }), 'look'],
  ['runs, and the credential is untried: welcome', facts({ curious: true }), 'welcome'],
  ['loops, and the credential is untried: refuse', facts({ curious: true, status: looping }), 'refuse'],
  [
    'cannot be built: that is no fault of the credential',
    facts({
      curious: true,
      status: status({ state: 'blocked', reason: 'build_failed', secrets: { held: 'cred.2' } }),
    }),
    'settled',
  ],
  ['loops with a credential that was judged: nothing', facts({ status: looping }), 'settled'],
  ['the agent lost the tool: remove it', facts({ wanted: 'absent' }), 'remove'],
  ['the agent lost the tool, its toolbox is silent: wait', facts({ wanted: 'absent', toolboxStatus: 'unresponsive' }), 'settled'], // biome-ignore format: one row
  ['its toolbox is no more: forget', facts({ toolboxStatus: 'deprovisioned' }), 'forget'],
] as const)('%s', (_, given, step) => {
  expect(nextStep(given)).toBe(step)
})
