import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Store } from '../store/connect.ts'
import { openTestStore } from '../store/testing.ts'
import { insertToolbox } from '../uplink/uplink.testing.ts'
import { createToolboxNews } from './toolbox.news.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

function listened(of: Pick<Store, 'system'> = store) {
  const heard: string[][] = []
  const { signal } = new AbortController()
  const tell = createToolboxNews({
    store: of,
    hear: async (_, rows) => void heard.push(rows.map(({ id }) => id)),
    log: pino({ level: 'silent' }),
    signal,
  })
  return { heard, tell }
}

test('news is heard at once, and what comes while it is told is told together, each toolbox once', async () => {
  const [first, second, third] = [await insertToolbox(store), await insertToolbox(store), await insertToolbox(store)]
  const { heard, tell } = listened()
  tell(first.id)
  for (const { id } of [second, third, second, third]) tell(id)
  await vi.waitFor(() => expect(heard.flat()).toHaveLength(3))
  expect(heard).toEqual([[first.id], expect.arrayContaining([second.id, third.id])])
})

test('what comes while its own news is told is told again: it may be newer than what was read', async () => {
  const { id } = await insertToolbox(store)
  const { heard, tell } = listened()
  tell(id)
  tell(id)
  await vi.waitFor(() => expect(heard).toEqual([[id], [id]]))
})

test('of a toolbox that is not there nothing is told', async () => {
  const { id } = await insertToolbox(store)
  const { heard, tell } = listened()
  tell('toolbox_nobody')
  tell(id)
  await vi.waitFor(() => expect(heard).toEqual([[], [id]]))
})

test('a database that does not answer ends nothing: the next news is told', async () => {
  const { id } = await insertToolbox(store)
  let failing = true
  const { heard, tell } = listened({
    system: (act) => (failing ? Promise.reject(new Error('no database')) : store.system(act)),
  })
  tell(id)
  await new Promise(setImmediate)
  failing = false
  tell(id)
  await vi.waitFor(() => expect(heard).toEqual([[id]]))
})
