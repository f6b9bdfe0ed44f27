import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  jsonOf,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
  type TestJson,
} from '../control-plane.testing.ts'
import { activities, agents } from '../store/schema/index.ts'
import { recordActivity } from './activity.store.ts'

let plane: TestControlPlane
let viewer: Awaited<ReturnType<typeof signedIn>>
beforeAll(async () => {
  plane = await openTestControlPlane()
  viewer = await signedIn(plane, 'account_a', 'viewer')
})
afterAll(() => plane.close())

test('T04 a change of a row reaches the account that follows, and no other', async () => {
  const other = await signedIn(plane, 'account_b', 'viewer')
  const [mine, theirs] = [
    await plane.request('GET', '/api/events', viewer),
    await plane.request('GET', '/api/events', other),
  ]
  await plane.store.system((tx) =>
    tx.insert(agents).values({ id: 'agent_0123456789abcdef', accountId: 'account_a', name: 'x' }),
  )
  expect(await read(mine, 'agent_0123456789abcdef')).toContain('data: {"noun":"agent","id":"agent_0123456789abcdef"}')
  await plane.store.system((tx) =>
    tx.insert(agents).values({ id: 'agent_fedcba9876543210', accountId: 'account_b', name: 'y' }),
  )
  expect(await read(theirs, 'agent_fedcba9876543210')).not.toContain('agent_0123456789abcdef')
})

test('a stream ends within ten seconds of the end of the session that opened it', async () => {
  const leaving = await signedIn(plane, 'account_d', 'viewer')
  vi.useFakeTimers({ toFake: ['setInterval'] })
  try {
    const stream = await plane.request('GET', '/api/events', leaving)
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toContain(': open')
    vi.advanceTimersByTime(9_000)
    expect((await reader.read()).value).toContain(': still here')
    await plane.request('DELETE', '/api/session', leaving)
    vi.advanceTimersByTime(9_000)
    expect((await reader.read()).done).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})

test('what happened is listed newest first, page by page, by toolbox', async () => {
  const record = (subject: string, toolboxId?: string) =>
    plane.store.system((tx) =>
      recordActivity(tx, {
        accountId: 'account_c',
        actor: 'test',
        action: 'thing.done',
        subject,
        message: 'm',
        ...(toolboxId ? { toolboxId } : {}),
      }),
    )
  const reader = await signedIn(plane, 'account_c', 'viewer')
  for (let n = 0; n < 5; n += 1) {
    const subject = `thing_${n}`
    await record(subject, n % 2 ? 'toolbox_odd' : undefined)
    // What happened in one millisecond has no order.
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, n))
    await plane.store.system((tx) => tx.update(activities).set({ at }).where(eq(activities.subject, subject)))
  }
  const list = async (query: string) => jsonOf(await plane.request('GET', `/api/activity?${query}`, reader))
  const subjects = ({ items }: TestJson) => items.map(({ subject }) => subject).filter((s) => s.startsWith('thing'))

  const first = await list('limit=2')
  const second = await list(`limit=2&cursor=${encodeURIComponent(first.nextCursor!)}`)
  const third = await list(`limit=200&cursor=${encodeURIComponent(second.nextCursor!)}`)
  expect([first, second, third].flatMap(subjects)).toEqual(['thing_4', 'thing_3', 'thing_2', 'thing_1', 'thing_0'])
  expect(third.nextCursor).toBeUndefined()
  expect(subjects(await list('toolboxId=toolbox_odd'))).toEqual(['thing_3', 'thing_1'])
  expect((await plane.request('GET', '/api/activity?cursor=nonsense', reader)).status).toBe(400)
})

async function read(answer: Response, until: string): Promise<string> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (const deadline = Date.now() + 5_000; !text.includes(until) && Date.now() < deadline; ) {
    const { value, done } = await reader.read()
    if (done) break
    text += value
  }
  await reader.cancel()
  return text
}
