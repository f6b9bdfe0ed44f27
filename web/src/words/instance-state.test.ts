import { expect, test } from 'vitest'
import { isUnderway, stateWords, toneOfInstance } from './instance-state.ts'

const seen = (desired: 'running' | 'stopped' | 'absent', state: Parameters<typeof toneOfInstance>[0]['state']) =>
  ({ desired, state, generation: 1, observedGeneration: 1 }) as const

test('an exited tool is bad news only when it was asked to run', () => {
  expect(toneOfInstance(seen('running', 'exited'))).toBe('bad')
  expect(toneOfInstance(seen('stopped', 'exited'))).toBe('idle')
})

test('what was asked for and is not yet so is named as that, never as done', () => {
  expect(stateWords(seen('running', 'none'))).toBe('asked for')
  expect(stateWords(seen('stopped', 'running'))).toBe('told to stop')
  expect(stateWords(seen('absent', 'running'))).toBe('being removed')
  expect(stateWords({ ...seen('running', 'running'), generation: 2 })).toBe('changing')
})

test('a state otherwise goes by its own name', () => {
  expect(stateWords(seen('running', 'building'))).toBe('building')
  expect(stateWords(seen('running', 'unknown'))).toBe('unknown')
})

test('progress is watched while the toolbox is at work', () => {
  expect(isUnderway(seen('running', 'pulling'))).toBe(true)
  expect(isUnderway(seen('running', 'running'))).toBe(false)
  expect(isUnderway(seen('running', 'blocked'))).toBe(false)
})

test('a tool that waits for the secrets of agents is ready, not on its way', () => {
  const ready = { ...seen('running', 'created'), reason: 'missing_credential' } as const
  expect([toneOfInstance(ready), stateWords(ready), isUnderway(ready)]).toEqual(['ok', 'ready for agents', false])
  expect(isUnderway(seen('running', 'created'))).toBe(true)
})
