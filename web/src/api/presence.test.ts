import { ProblemError, problem, type Way } from '@agentopia/api'
import { expect, test } from 'vitest'
import { askedNow, isLeaving, withPresence } from './presence.ts'

/** As it comes over the wire. */
const needed = (ways: readonly Way[]) =>
  ProblemError.fromDocument({ ...problem('presence-needed', 'x').toDocument('req-1'), ways })

/** Refuses so often, then does it. */
function guarded(refusals: number, ways: readonly Way[] = ['password']) {
  let asked = 0
  return async () => {
    asked += 1
    if (asked <= refusals) throw needed(ways)
    return `done at attempt ${asked}`
  }
}
const dialog = () => expect.poll(askedNow)

test('what needs no proof is done, and nobody is asked', async () => {
  expect(await withPresence(guarded(0))).toBe('done at attempt 1')
  expect(askedNow()).toBeUndefined()
})

test('who shows to be there has it done without asking for it again', async () => {
  const done = withPresence(guarded(1, ['passkey', 'sign-on']))
  await dialog().toMatchObject({ ways: ['passkey', 'sign-on'] })
  askedNow()!.proven()
  expect(await done).toBe('done at attempt 2')
  expect(askedNow()).toBeUndefined()
})

test('a proof that was no good is asked for again', async () => {
  const done = withPresence(guarded(2))
  await dialog().toBeDefined()
  askedNow()!.proven()
  await dialog().toBeDefined()
  askedNow()!.proven()
  expect(await done).toBe('done at attempt 3')
})

test('who leaves is told why nothing was done', async () => {
  const done = withPresence(guarded(9))
  await dialog().toBeDefined()
  askedNow()!.leave()
  await expect(done).rejects.toMatchObject({ code: 'presence-needed' })
  expect(askedNow()).toBeUndefined()
})

test('leaving is no failure, and told apart from one', async () => {
  const done = withPresence(guarded(9))
  await dialog().toBeDefined()
  askedNow()!.leave()
  expect(isLeaving(await done.catch((error: unknown) => error))).toBe(true)
  for (const error of [problem('forbidden', 'not you'), new TypeError('x'), undefined])
    expect(isLeaving(error)).toBe(false)
})

test('two that wait at once are answered by one dialog', async () => {
  const both = Promise.all([withPresence(guarded(1)), withPresence(guarded(1))])
  await dialog().toBeDefined()
  askedNow()!.proven()
  expect(await both).toEqual(['done at attempt 2', 'done at attempt 2'])
  expect(askedNow()).toBeUndefined()
})

test('a refusal for another reason is no question', async () => {
  const refused = problem('forbidden', 'not you')
  await expect(withPresence(() => Promise.reject(refused))).rejects.toBe(refused)
  expect(askedNow()).toBeUndefined()
})
