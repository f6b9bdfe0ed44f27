import * as z from 'zod'
import { PasskeyId, Timestamp } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { Me } from './session.ts'

/** A key on a device or in a password manager, with which a person signs in instead of a password (WebAuthn). */
export const Passkey = z.object({
  id: PasskeyId,
  name: z.string(),
  createdAt: Timestamp,
  lastUsedAt: Timestamp.optional(),
  synced: z.boolean().describe('Whether it is kept on several devices, as its maker says.'),
})
export type Passkey = z.infer<typeof Passkey>

const base64url = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[\w-]+$/, 'base64url')

/** What a browser is to be asked for, as WebAuthn writes it down in JSON; the page hands it on as it is. */
export const PasskeyOptions = z.object({ options: z.record(z.string(), z.unknown()) })

/** As `PublicKeyCredential.toJSON` writes it; what is not used here may stand in it too. */
const credential = <Answer extends z.ZodRawShape>(answer: Answer) =>
  z.object({
    id: base64url(1_400),
    rawId: base64url(1_400),
    type: z.literal('public-key'),
    response: z.object({ clientDataJSON: base64url(8_000), ...answer }),
  })

const NewCredential = credential({
  attestationObject: base64url(30_000),
  transports: z.array(z.string().max(32)).max(10).optional(),
})
export const Assertion = credential({
  authenticatorData: base64url(8_000),
  signature: base64url(8_000),
  userHandle: base64url(200).nullish(),
})
export type NewCredential = z.infer<typeof NewCredential>
export type Assertion = z.infer<typeof Assertion>

export const listPasskeys = defineUserOperation({
  id: 'listPasskeys',
  summary: 'List the own passkeys',
  method: 'GET',
  path: '/api/me/passkeys',
  auth: 'viewer',
  personal: 'way-in',
  status: 200,
  reply: z.object({ items: z.array(Passkey) }),
  problems: [],
})

export const beginPasskey = defineUserOperation({
  id: 'beginPasskey',
  summary: 'What the browser is to be asked for to make a passkey; good once, for five minutes',
  method: 'POST',
  path: '/api/me/passkeys/options',
  auth: 'viewer',
  personal: 'way-in',
  presence: true,
  status: 200,
  reply: PasskeyOptions,
  problems: ['presence-needed', 'rate-limited'],
})

export const addPasskey = defineUserOperation({
  id: 'addPasskey',
  summary: 'Keep the passkey that the browser made',
  method: 'POST',
  path: '/api/me/passkeys',
  auth: 'viewer',
  personal: 'way-in',
  presence: true,
  status: 201,
  body: z.strictObject({ name: z.string().trim().min(1).max(100), credential: NewCredential }),
  reply: Passkey,
  problems: ['presence-needed', 'passkey-refused'],
})

export const removePasskey = defineUserOperation({
  id: 'removePasskey',
  summary: 'Remove a passkey, unless it is the last way to sign in',
  method: 'DELETE',
  path: '/api/me/passkeys/:passkeyId',
  auth: 'viewer',
  personal: 'way-in',
  presence: true,
  status: 204,
  params: z.object({ passkeyId: PasskeyId }),
  problems: ['presence-needed', 'passkey-not-found', 'last-way-in'],
})

export const beginPasskeySignIn = defineUserOperation({
  id: 'beginPasskeySignIn',
  summary: 'What the browser is to be asked for to sign in with a passkey; good once, for five minutes',
  method: 'POST',
  path: '/api/session/passkey/options',
  auth: 'none',
  status: 200,
  reply: PasskeyOptions,
  problems: ['rate-limited'],
})

export const signInWithPasskey = defineUserOperation({
  id: 'signInWithPasskey',
  summary: 'Sign in with a passkey; sets the session cookie',
  method: 'POST',
  path: '/api/session/passkey',
  auth: 'none',
  status: 200,
  body: z.strictObject({ credential: Assertion }),
  reply: Me,
  problems: ['passkey-refused', 'sign-in-refused', 'rate-limited'],
})
