import * as z from 'zod'
import { defineUserOperation } from './operation.ts'
import { Me } from './session.ts'

const word = z.string().min(1).max(4_000)
/** A path of the page, and of no other. */
const OwnPath = z
  .string()
  .max(2_000)
  .regex(/^\/(?:[^/\\]|$)/, 'must be a path of this page')

export const startSignOn = defineUserOperation({
  id: 'startSignOn',
  summary: 'Begin single sign-on: the answer says where the browser goes; bound to it by a cookie, for ten minutes',
  method: 'POST',
  path: '/api/session/sign-on',
  auth: 'none',
  status: 200,
  body: z.strictObject({
    to: OwnPath.default('/').describe('Where to go afterwards.'),
    link: z.boolean().default(false).describe('To link it with whoever is signed in, instead of signing somebody in.'),
    currentPassword: z.string().max(256).optional().describe('To link: of a person who has one.'),
  }),
  reply: z.object({ authorizationUrl: z.url() }),
  problems: [
    'sign-on-off',
    'sign-in-refused',
    'provider-refused',
    'provider-unavailable',
    'unauthenticated',
    'rate-limited',
  ],
})

export const finishSignOn = defineUserOperation({
  id: 'finishSignOn',
  summary: 'Finish single sign-on with what the provider sent back by the browser; once. Sets the session cookie',
  method: 'POST',
  path: '/api/session/sign-on/answer',
  auth: 'none',
  status: 200,
  body: z.strictObject({ state: word, code: word.optional(), iss: word.optional(), error: word.optional() }),
  reply: z.object({ me: Me, to: z.string() }),
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
