import { expect, test } from 'vitest'
import { toolFraction, toolWords } from './tool-counts.ts'

const heard = (running: number, total: number) => ({ status: 'active', toolCounts: { running, total } }) as const
const silent = (running: number, total: number) => ({ status: 'unresponsive', toolCounts: { running, total } }) as const

test('running tools are counted over all toolboxes', () => {
  expect(toolWords([])).toBe('no tools')
  expect(toolWords([heard(0, 0)])).toBe('no tools')
  expect(toolWords([heard(1, 1)])).toBe('1 of 1 tool running')
  expect(toolWords([heard(1, 2), heard(3, 3)])).toBe('4 of 5 tools running')
})

test('tools of a toolbox that is not heard are not said to run', () => {
  expect(toolWords([silent(2, 2)])).toBe('2 tools, state unknown')
  expect(toolWords([heard(1, 2), silent(3, 3)])).toBe('1 of 5 tools running, 3 unknown')
  expect(toolFraction(silent(2, 2))).toBe('?/2')
  expect(toolFraction(heard(1, 2))).toBe('1/2')
  expect([toolFraction(silent(0, 0)), toolFraction(heard(0, 0))]).toEqual(['0', '0'])
})
