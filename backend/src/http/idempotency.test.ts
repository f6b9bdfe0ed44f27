import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { openTestStore } from '../store/testing.ts'
import { once, type RepeatableRequest } from './idempotency.ts'

let store: Store
beforeEach(async () => {
  store = await openTestStore()
})
afterEach(() => store[Symbol.asyncDispose]())

const request = (over: Partial<RepeatableRequest> = {}): RepeatableRequest => ({
  accountId: 'account-a',
  key: 'key-1',
  operation: 'createAgent',
  request: { body: { name: 'one', tags: ['x'] } },
  ...over,
})

/** Counts how often the deed was done. */
function deed() {
  const done = { times: 0 }
  const act = async () => {
    done.times += 1
    return { id: `agent-${done.times}` }
  }
  return { done, act }
}

const run = (what: RepeatableRequest, act: () => Promise<{ id: string }>) =>
  store.tenant(what.accountId, (tx) => once(tx, what, act))

test('a repeated request is carried out once and answered alike', async () => {
  const { done, act } = deed()
  const first = await run(request(), act)
  const second = await run(request({ request: { body: { tags: ['x'], name: 'one' } } }), act)
  expect(second).toEqual(first)
  expect(done.times).toBe(1)
})

test('of ten at the same moment one is carried out and all get its answer', async () => {
  const { done, act } = deed()
  const replies = await Promise.all(Array.from({ length: 10 }, () => run(request(), act)))
  expect(new Set(replies.map(({ id }) => id)).size).toBe(1)
  expect(done.times).toBe(1)
})

test('the same key with another body or another operation is refused', async () => {
  const { act } = deed()
  await run(request(), act)
  await expect(run(request({ request: { body: { name: 'two' } } }), act)).rejects.toMatchObject({
    code: 'idempotency-key-reused',
  })
  await expect(run(request({ operation: 'deployTool' }), act)).rejects.toMatchObject({ code: 'idempotency-key-reused' })
})

test('another account may use the same key', async () => {
  const { done, act } = deed()
  await run(request(), act)
  await run(request({ accountId: 'account-b' }), act)
  expect(done.times).toBe(2)
})

test('a failed request leaves no memory: its repetition is carried out', async () => {
  const { done, act } = deed()
  const fail = () => Promise.reject(new Error('no'))
  await expect(run(request(), fail)).rejects.toThrow('no')
  await run(request(), act)
  expect(done.times).toBe(1)
})

test('without a key each request is carried out', async () => {
  const { done, act } = deed()
  await run(request({ key: undefined }), act)
  await run(request({ key: undefined }), act)
  expect(done.times).toBe(2)
})
