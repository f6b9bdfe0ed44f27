import { expect, test } from 'vitest'
import { createJournal, type Journal } from './journal.ts'

const date = () => new Date(0)
const said = (message: string) => ({ kind: 'tool', tool: 'mail', message }) as const

async function read(journal: Journal, lastId: string | undefined, count: number) {
  const stop = new AbortController()
  const seen: { id: string; message: string | undefined }[] = []
  for await (const { id, data } of journal.follow(lastId, stop.signal)) {
    seen.push({ id, message: data.message })
    if (seen.length === count) break
  }
  return seen
}

test('a follower gets what happens from then on, and one that comes back what it has missed', async () => {
  const journal = createJournal('run1', date)
  journal.record(said('before'))
  const reading = read(journal, undefined, 2)
  journal.record(said('one'))
  journal.record(said('two'))
  expect(await reading).toEqual([
    { id: 'run1.1', message: 'one' },
    { id: 'run1.2', message: 'two' },
  ])
  journal.record(said('three'))
  expect(await read(journal, 'run1.1', 2)).toMatchObject([{ message: 'two' }, { message: 'three' }])
})

test.each(['run0.7', 'run1.99', 'run1.x', 'nonsense', ''])(
  'an id that is not ours (%s) begins with the oldest',
  async (id) => {
    const journal = createJournal('run1', date)
    journal.record(said('one'))
    journal.record(said('two'))
    expect(await read(journal, id, 2)).toMatchObject([{ message: 'one' }, { message: 'two' }])
  },
)

test('a thousand are kept; a slow reader misses the rest and goes on', async () => {
  const journal = createJournal('run1', date)
  journal.record(said('0'))
  const slow = journal.follow('run0.0', new AbortController().signal)
  expect((await slow.next()).value).toMatchObject({ id: 'run1.0' })
  for (let i = 1; i <= 3_000; i++) journal.record(said(`${i}`))
  expect((await slow.next()).value).toMatchObject({ id: 'run1.2001', data: { message: '2001' } })
})

test('following ends with its signal', async () => {
  const stop = new AbortController()
  const reading = createJournal('run1', date).follow(undefined, stop.signal).next()
  stop.abort()
  expect(await reading).toEqual({ value: undefined, done: true })
})
