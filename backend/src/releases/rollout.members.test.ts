import { expect, test } from 'vitest'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { membersOf, type RolloutRow } from './rollout.members.ts'

const NOW = Date.UTC(2026, 0, 1)
const askedAt = new Date(NOW).toISOString()
const longAgo = new Date(NOW - 61 * 60_000).toISOString()
const rollout = { id: 'rollout_1', versions: { container: '2.0.0' }, forgiven: [] } as unknown as RolloutRow

/** One that is heard and has an older DTMA. */
const older = {
  ...{ id: 'toolbox_1', name: 'alpha', provider: 'join', installation: 'container', desired: 'present' },
  ...{ status: 'active', dtmaVersion: '1.0.0', direct: null, enrolEpoch: 1, backendToDtmaApiKey: 'sealed' },
  ...{ roadAsked: null, roadProgress: null, keyRotationAsked: null, keyRotationRefusal: null },
  ...{ updateAsked: null, updateState: null, updateRefusal: null },
} as unknown as ToolboxRow

test.each<[string, Partial<ToolboxRow>, string]>([
  ['nothing is done with', {}, 'waiting'],
  ['a person has asked to update', { updateAsked: { attempt: 'a', version: '2.0.0', askedAt } }, 'under_way'],
  ['is to get another road', { roadAsked: { attempt: 'a', road: 'direct', actor: 'ann', askedAt } }, 'under_way'],
  ['is to get other keys', { keyRotationAsked: { attempt: 'a', epoch: 1, askedAt } }, 'under_way'],
  ['was to get other keys long ago', { keyRotationAsked: { attempt: 'a', epoch: 1, askedAt: longAgo } }, 'waiting'],
])('a toolbox that %s', (_, columns, standing) => {
  const { members } = membersOf(rollout, [{ ...older, ...columns }], NOW)
  expect(members.map((member) => member.standing)).toEqual([standing])
})
