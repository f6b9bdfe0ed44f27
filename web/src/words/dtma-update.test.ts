import type { Toolbox, ToolboxUpdate } from '@agentopia/api'
import { expect, test } from 'vitest'
import { isUnderWay, outdated, toneOfUpdate, updateMeaning } from './dtma-update.ts'

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
test.each(['done', 'failed', 'fell_back', 'refused'] as const)('%s is over', (phase) =>
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
