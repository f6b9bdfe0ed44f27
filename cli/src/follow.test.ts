import { expect, test } from 'vitest'
import { follow } from './follow.ts'

const never = new AbortController().signal

/** One state after another; the last for ever. */
function following(...states: readonly string[]) {
  const notes: string[] = []
  let reads = 0
  const given = {
    read: async () => states[Math.min(reads++, states.length - 1)]!,
    tell: (now: string) => (now === '' ? undefined : now),
    isOver: (now: string) => now === 'done',
    late: (now: string) => `it is ${now} still`,
    everyMs: 1,
  }
  return { notes, given, output: { note: (line: string) => void notes.push(line) } }
}

test('each change is told once, what says nothing is not, and the end is returned', async () => {
  const { given, notes, output } = following('begun', 'begun', '', 'begun', 'done')
  expect(await follow(given, { seconds: 60, signal: never, output })).toBe('done')
  expect(notes).toEqual(['begun', 'done'])
})

test('when time is up it says what it waits for, by the code that was chosen', async () => {
  const { given, output } = following('begun')
  const late = { code: 'call-timeout', message: 'it is begun still' }
  await expect(follow(given, { seconds: 0.02, signal: never, output })).rejects.toMatchObject(late)
  const chosen = { ...given, lateAs: 'rotation-failed' } as const
  await expect(follow(chosen, { seconds: 0.02, signal: never, output })).rejects.toMatchObject({
    code: 'rotation-failed',
  })
})

test('what has come to a bad end is thrown at once', async () => {
  const { given, output } = following('begun', 'failed')
  const isOver = (now: string) => {
    if (now === 'failed') throw new Error('failed')
    return false
  }
  await expect(follow({ ...given, isOver }, { seconds: 60, signal: never, output })).rejects.toThrow('failed')
})
