import * as z from 'zod'
import { secret } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { Me } from './session.ts'

const word = z.string().min(1).max(4_000)
/** A path of the page, and of no other. */
const OwnPath = z
  .string()
  .max(2_000)
  .regex(/^\/(?:[^/\\]|$)/, 'must be a path of this page')
const Away = z.object({ authorizationUrl: secret(z.url()) })

export const startSignOn = defineUserOperation({
  id: 'startSignOn',
  summary: 'Begin single sign-on: the answer says where the browser goes; bound to it by a cookie, for ten minutes',
  method: 'POST',
  path: '/api/session/sign-on',
  auth: 'none',
  status: 200,
  body: z.strictObject({ to: OwnPath.default('/').describe('Where to go afterwards.') }),
  reply: Away,
  problems: ['sign-on-off', 'provider-refused', 'provider-unavailable', 'rate-limited'],
})

export const finishSignOn = defineUserOperation({
  id: 'finishSignOn',
  summary:
    'Finish single sign-on with what the provider sent back by the browser; once. To sign in, it sets the session cookie',
  method: 'POST',
  path: '/api/session/sign-on/answer',
  auth: 'none',
  status: 200,
  body: z.strictObject({
    state: secret(word),
    code: secret(word).optional(),
    iss: word.optional(),
    error: word.optional(),
  }),
  reply: z.object({
    me: Me,
    to: z.string(),
    done: z.enum(['signed-in', 'linked', 'proven']).describe('What it was begun for.'),
  }),
  problems: [
    'sign-on-off',
    'sign-on-refused',
    'sign-on-unlinked',
    'provider-refused',
    'provider-unavailable',
    'sign-in-refused',
    'rate-limited',
  ],
})

export const linkSignOn = defineUserOperation({
  id: 'linkSignOn',
  summary: 'Begin to link oneself with single sign-on: the answer says where the browser goes; finishSignOn ends it',
  method: 'POST',
  path: '/api/me/sign-on',
  auth: 'viewer',
  personal: 'way-in',
  presence: true,
  status: 200,
  reply: Away,
  problems: ['presence-needed', 'sign-on-off', 'provider-refused', 'provider-unavailable', 'rate-limited'],
})

export const unlinkSignOn = defineUserOperation({
  id: 'unlinkSignOn',
  summary: 'Be linked with single sign-on no more, unless it is the last way to sign in',
  method: 'DELETE',
  path: '/api/me/sign-on',
  auth: 'viewer',
  personal: 'way-in',
  presence: true,
  status: 204,
  problems: ['presence-needed', 'sign-on-off', 'sign-on-not-linked', 'last-way-in'],
})
