import type { Toolbox, ToolboxUpdate } from '@agentopia/api'
import { expect, test } from 'vitest'
import { canRedeploy, isUnderWay, outdated, toneOfUpdate, updateMeaning, versionsOf } from './dtma-update.ts'

const at = '2026-01-01T00:00:00.000Z'
const update = (phase: ToolboxUpdate['phase'], message?: string): ToolboxUpdate => ({
  version: '0.2.0',
  askedAt: at,
  phase,
  since: at,
  ...(message ? { message } : {}),
})
const box = (more: Partial<Toolbox>): Toolbox => ({ name: 'alpha', ...more }) as Toolbox

test('a fall-back is a warning that says why, never an error of the toolbox: it works', () => {
  const fell = update('fell_back', 'The new DTMA ended 3 times')
  expect(toneOfUpdate(fell)).toBe('warn')
  expect(updateMeaning(fell)).toBe('The new DTMA ended 3 times. The new DTMA did not work; the one before runs again.')
})

test.each(['asked', 'loading', 'switching', 'proving'] as const)('%s is under way', (phase) =>
  expect(isUnderWay(update(phase))).toBe(true),
)
test.each(['done', 'failed', 'fell_back', 'refused', 'unanswered'] as const)('%s is over', (phase) =>
  expect(isUnderWay(update(phase))).toBe(false),
)

test('an update of all reaches what is older and not on its way already', () => {
  const release = { standing: 'outdated', newer: '0.2.0' } as const
  const boxes = [
    box({ release }),
    box({ release, update: update('failed') }),
    box({ release, update: update('loading') }),
    box({ release: { standing: 'current' } }),
    box({}),
  ]
  expect(outdated(boxes)).toEqual(boxes.slice(0, 2))
})

test('the versions of an update, and of one that deployed the same anew', () => {
  expect(versionsOf(update('asked'))).toBe('To 0.2.0')
  expect(versionsOf({ ...update('done'), from: '0.1.0' })).toBe('0.1.0 to 0.2.0')
  expect(versionsOf({ ...update('done'), from: '0.2.0' })).toBe('0.2.0 anew')
})

test('redeploying is offered where DTMA is heard, has the newest version and is not busy with one already', () => {
  const healthy = { provider: 'join', status: 'active', release: { standing: 'current' } } as const
  expect(canRedeploy(box(healthy))).toBe(true)
  expect(canRedeploy(box({ ...healthy, update: update('fell_back') }))).toBe(true)
  expect(canRedeploy(box({ ...healthy, update: update('proving') }))).toBe(false)
  expect(canRedeploy(box({ ...healthy, status: 'unresponsive' }))).toBe(false)
  expect(canRedeploy(box({ ...healthy, provider: 'local' }))).toBe(false)
  expect(canRedeploy(box({ ...healthy, release: { standing: 'outdated', newer: '0.3.0' } }))).toBe(false)
})
