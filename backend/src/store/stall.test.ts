import { afterAll, beforeAll, expect, test } from 'vitest'
import { jsonOf, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { lockTable } from './testing.ts'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

test('R04 while a table is locked, everybody who needs it is told when to come again, others are answered, and then it goes on', async () => {
  const { userId: _, ...as } = await signedIn(plane, 'account_stall', 'owner')
  const letGo = await lockTable(plane.store, 'agents', 'access exclusive')
  const add = (name: string) => plane.send('POST', '/api/agents', as, { name })
  const waiting = Promise.all(Array.from({ length: 30 }, (_, n) => add(`held-${n}`)))
  expect((await plane.request('GET', '/api/info')).status).toBe(200)
  for (const answer of await waiting) {
    expect([answer.status, answer.headers.get('content-type'), Number(answer.headers.get('retry-after')) > 0]).toEqual([
      503,
      'application/problem+json',
      true,
    ])
    expect((await jsonOf(answer)).code).toBe('store-unavailable')
  }
  await letGo()
  expect((await add('after')).status).toBe(201)
  const { items } = await jsonOf(await plane.request('GET', '/api/agents', as))
  expect(items).toMatchObject([{ name: 'after' }])
})
