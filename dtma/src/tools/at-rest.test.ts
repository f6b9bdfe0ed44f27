import { expect, test } from 'vitest'
import { ToolState } from '../contract/tool.ts'
import { isAtRest } from './at-rest.ts'

test.each([
  ['running', ['running', 'unhealthy', 'blocked', 'unknown']],
  ['stopped', ['none', 'created', 'exited', 'blocked', 'unknown']],
] as const)('a tool that shall be %s is on its way in every other state', (desired, rest) => {
  expect(ToolState.options.filter((state) => isAtRest({ desired, state }))).toEqual(
    ToolState.options.filter((state) => (rest as readonly string[]).includes(state)),
  )
})

test('a tool that failed rests, whatever it will try next', () => {
  expect(isAtRest({ desired: 'running', state: 'exited', reason: 'crash_loop' })).toBe(true)
})
