import { expect, test } from 'vitest'
import { createTurn } from './in-turn.ts'

test('one begins when the one before has ended, in the order in which they were asked for', async () => {
  const turn = createTurn()
  const log: string[] = []
  const first = Promise.withResolvers<string>()
  const one = turn.take(() => {
    log.push('one begins')
    return first.promise
  })
  const two = turn.take(async () => {
    log.push('two begins')
    return 'two'
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(log).toEqual(['one begins'])
  first.resolve('one')
  expect(await Promise.all([one, two])).toEqual(['one', 'two'])
  expect(log).toEqual(['one begins', 'two begins'])
})

test('one that fails tells whoever asked for it, and the next has its turn', async () => {
  const turn = createTurn()
  const one = turn.take(() => Promise.reject(new Error('no')))
  const two = turn.take(async () => 'two')
  await expect(one).rejects.toThrow('no')
  expect(await two).toBe('two')
})

test('it is over when all that was asked for until now has ended, well or not', async () => {
  const turn = createTurn()
  await turn.over
  const ended: string[] = []
  const failing = turn.take(async () => {
    ended.push('one')
    throw new Error('no')
  })
  const expected = expect(failing).rejects.toThrow('no')
  void turn.take(async () => void ended.push('two'))
  await turn.over
  expect(ended).toEqual(['one', 'two'])
  await expected
})
