import { ProblemError } from '@agentopia/api'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { jsonOf } from '../control-plane.testing.ts'
import type { Caller } from '../http/caller.ts'
import { createMount } from '../http/mount.ts'
import { presenceRoutes } from './presence.routes.ts'

const caller: Caller = {
  kind: 'user',
  accountId: 'account_x',
  userId: 'user_me',
  role: 'viewer',
  actor: 'me@example.com',
  sessionId: 'session_x',
}

/** The answer to a password that is this person's, and whose presence was noted. */
async function proveBy(ownerOfPassword: string) {
  const app = new Hono()
  app.onError((error, c) => c.json({ code: error instanceof ProblemError ? error.code : 'internal' }, 400))
  const noted: string[] = []
  const never = async () => {
    throw new Error('is not asked')
  }
  presenceRoutes(
    createMount({ app, authenticate: async () => caller, requirePresence: never, clientAddress: () => '192.0.2.1' }),
    {
      store: { system: async (act: (tx: never) => unknown) => act(undefined as never) } as never,
      presence: { require: never, note: async (_, { userId }) => void noted.push(userId) },
      checkPassword: async () => ownerOfPassword,
      passkeys: { beginNew: never, readNew: never, begin: never, prove: never },
      attempts: { configured: never as never, begin: never, take: never },
    },
  )
  const answer = await app.request('/api/me/presence/password', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"password":"x"}',
  })
  return { status: answer.status, code: answer.status === 204 ? '' : (await jsonOf(answer)).code, noted }
}

test('the own password shows its person to be there', async () => {
  expect(await proveBy('user_me')).toEqual({ status: 204, code: '', noted: ['user_me'] })
})

test('T07 a password that has become that of another person with the same address shows nobody to be there', async () => {
  expect(await proveBy('user_other')).toEqual({ status: 400, code: 'sign-in-refused', noted: [] })
})
