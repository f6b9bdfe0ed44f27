import * as z from 'zod'
import { secret } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { Assertion, PasskeyOptions } from './passkeys.ts'

/** A way of one's own to show that one is there, and not somebody who found the browser open. */
export const Way = z.enum(['password', 'passkey', 'sign-on'])
export type Way = z.infer<typeof Way>

/** What `presence-needed` says besides: the ways that this person has. With none, only a new one-time link helps. */
export const PresenceNeeded = z.object({ ways: z.array(Way) })
export type PresenceNeeded = z.infer<typeof PresenceNeeded>

const WORDS = 'for five minutes, in this browser, one may change how one signs in'

export const proveByPassword = defineUserOperation({
  id: 'proveByPassword',
  summary: `Show by the password that one is there: ${WORDS}`,
  method: 'POST',
  path: '/api/me/presence/password',
  auth: 'viewer',
  personal: 'way-in',
  status: 204,
  body: z.strictObject({ password: secret(z.string().min(1).max(256)) }),
  problems: ['sign-in-refused', 'rate-limited'],
})

export const beginPasskeyProof = defineUserOperation({
  id: 'beginPasskeyProof',
  summary: 'What the browser is to be asked for to show by a passkey that one is there; good once, for five minutes',
  method: 'POST',
  path: '/api/me/presence/passkey/options',
  auth: 'viewer',
  personal: 'way-in',
  status: 200,
  reply: PasskeyOptions,
  problems: ['rate-limited'],
})

export const proveByPasskey = defineUserOperation({
  id: 'proveByPasskey',
  summary: `Show by a passkey that one is there: ${WORDS}`,
  method: 'POST',
  path: '/api/me/presence/passkey',
  auth: 'viewer',
  personal: 'way-in',
  status: 204,
  body: z.strictObject({ credential: Assertion }),
  problems: ['passkey-refused', 'rate-limited'],
})

export const beginSignOnProof = defineUserOperation({
  id: 'beginSignOnProof',
  summary: `Show by signing in at the provider anew that one is there: ${WORDS}. The answer says where the browser goes; finishSignOn ends it`,
  method: 'POST',
  path: '/api/me/presence/sign-on',
  auth: 'viewer',
  personal: 'way-in',
  status: 200,
  reply: z.object({ authorizationUrl: secret(z.url()) }),
  problems: ['sign-on-off', 'provider-refused', 'provider-unavailable', 'rate-limited'],
})
