import { expect, test } from 'vitest'
import { createOpenStreams } from './open-streams.ts'

const user = (userId: string, accountId = 'a') =>
  ({ kind: 'user', accountId, userId, role: 'viewer', actor: userId }) as const
const agent = { kind: 'agent', accountId: 'a', agentId: 'g', actor: 'agent g' } as const
const refusal = expect.objectContaining({ code: 'rate-limited', retryAfterSeconds: 5 })

test('one person has so many streams open, all of an account together so many, and what ended is not counted', () => {
  const streams = createOpenStreams({ each: 2, account: 3 })
  const first = streams.enter(user('u'))
  streams.enter(user('u'))
  expect(() => streams.enter(user('u'))).toThrow(refusal)
  const last = streams.enter(agent)
  expect(() => streams.enter(user('v'))).toThrow(refusal)
  streams.enter(user('w', 'b')) // a refused one was not counted; accounts do not share
  last()
  first()
  streams.enter(user('u'))
  streams.enter(user('v'))
})
