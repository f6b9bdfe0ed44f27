import { expect, test } from 'vitest'
import { createSharedWork } from './shared-work.ts'

const never = new AbortController().signal
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** Work that ends when it is told to. */
function controlled() {
  const begun: string[] = []
  const ends = new Map<string, (value: string) => void>()
  const stopped: string[] = []
  const work = (key: string) => (report: (text: string) => void, signal: AbortSignal) => {
    begun.push(key)
    report(`${key} begins`)
    return new Promise<string>((resolve, reject) => {
      ends.set(key, resolve)
      signal.addEventListener('abort', () => {
        stopped.push(key)
        reject(signal.reason)
      })
    })
  }
  return { begun, ends, stopped, work }
}

test('two who want the same share one piece of work, and both hear of its progress', async () => {
  const { begun, ends, work } = controlled()
  const shared = createSharedWork<string, string>(2, 'waiting')
  const heard: string[] = []
  const first = shared.run('a', work('a'), (text) => heard.push(`1 ${text}`), never)
  await settle()
  const second = shared.run('a', work('a'), (text) => heard.push(`2 ${text}`), never)
  await settle()
  ends.get('a')!('done')

  expect(await Promise.all([first, second])).toEqual(['done', 'done'])
  expect(begun).toEqual(['a'])
  expect(heard).toEqual(['1 waiting', '1 a begins', '2 a begins'])
})

test('the third waits until one of two has finished', async () => {
  const { begun, ends, work } = controlled()
  const shared = createSharedWork<string, string>(2, 'waiting')
  const all = ['a', 'b', 'c'].map((key) => shared.run(key, work(key), () => undefined, never))
  await settle()
  expect(begun).toEqual(['a', 'b'])
  ends.get('a')!('done')
  await all[0]
  await settle()
  expect(begun).toEqual(['a', 'b', 'c'])
  for (const key of ['b', 'c']) ends.get(key)!('done')
  await Promise.all(all)
})

test('one who leaves does not disturb the other; when the last leaves, the work stops', async () => {
  const { begun, stopped, work } = controlled()
  const shared = createSharedWork<string, string>(2, 'waiting')
  const [one, two] = [new AbortController(), new AbortController()]
  const first = shared.run('a', work('a'), () => undefined, one.signal)
  const second = shared.run('a', work('a'), () => undefined, two.signal)
  await settle()

  one.abort(new Error('one left'))
  await expect(first).rejects.toThrow('one left')
  expect(stopped).toEqual([])
  two.abort(new Error('two left'))
  await expect(second).rejects.toThrow('two left')
  expect(stopped).toEqual(['a'])
  void shared.run('a', work('a'), () => undefined, never)
  await settle()
  expect(begun).toEqual(['a', 'a'])
})

test('a failure reaches everybody, and the next one begins anew', async () => {
  const shared = createSharedWork<string, string>(1, 'waiting')
  const failing = () => Promise.reject(new Error('broken'))
  await expect(shared.run('a', failing, () => undefined, never)).rejects.toThrow('broken')
  expect(
    await shared.run(
      'a',
      async () => 'well',
      () => undefined,
      never,
    ),
  ).toBe('well')
})
