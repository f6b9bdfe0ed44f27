import * as z from 'zod'
import { SessionId, secret, Timestamp, TokenId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

export const Role = z.enum(['viewer', 'operator', 'admin', 'owner'])
export type Role = z.infer<typeof Role>

/** Who is calling, in which account. */
export const Me = z.object({
  user: z.object({ id: z.string(), email: z.string(), name: z.string() }),
  account: z.object({ id: z.string(), name: z.string() }),
  role: Role,
  /** False for the user that a fresh installation starts with, until a password is set. */
  hasPassword: z.boolean(),
  /** Whether the person is linked with the provider of single sign-on that is configured. */
  hasSignOn: z.boolean(),
})
export type Me = z.infer<typeof Me>

export const getMe = defineUserOperation({
  id: 'getMe',
  summary: 'Who am I',
  method: 'GET',
  path: '/api/me',
  auth: 'viewer',
  status: 200,
  reply: Me,
  problems: [],
})

export const signIn = defineUserOperation({
  id: 'signIn',
  summary: 'Sign in with e-mail and password; sets the session cookie',
  method: 'POST',
  path: '/api/session',
  auth: 'none',
  status: 200,
  body: z.strictObject({ email: z.email().max(320), password: secret(z.string().min(1).max(256)) }),
  reply: Me,
  problems: ['sign-in-refused', 'rate-limited'],
})

export const redeemSignInLink = defineUserOperation({
  id: 'redeemSignInLink',
  summary: 'Sign in with a one-time link; sets the session cookie',
  method: 'POST',
  path: '/api/session/link',
  auth: 'none',
  status: 200,
  body: z.strictObject({ token: secret(z.string().min(16).max(256)) }),
  reply: Me,
  problems: ['sign-in-link-used', 'rate-limited'],
})

export const signOut = defineUserOperation({
  id: 'signOut',
  summary: 'End the session',
  method: 'DELETE',
  path: '/api/session',
  auth: 'viewer',
  personal: 'way-in',
  status: 204,
  problems: [],
})

/** A browser in which the person is signed in. */
export const Session = z.object({
  id: SessionId,
  current: z.boolean().describe('Whether the request came from it.'),
  browser: z.string().optional().describe('As the browser calls itself; nobody vouches for it.'),
  createdAt: Timestamp,
  lastUsedAt: Timestamp.describe('To within five minutes.'),
  expiresAt: Timestamp.describe('At the latest; a session that is not used ends before.'),
})
export type Session = z.infer<typeof Session>

export const listSessions = defineUserOperation({
  id: 'listSessions',
  summary: 'List the browsers in which one is signed in, the latest used first',
  method: 'GET',
  path: '/api/me/sessions',
  auth: 'viewer',
  personal: 'way-in',
  status: 200,
  reply: z.object({ items: z.array(Session) }),
  problems: [],
})

export const endSession = defineUserOperation({
  id: 'endSession',
  summary: 'Sign out one browser',
  method: 'DELETE',
  path: '/api/me/sessions/:sessionId',
  auth: 'viewer',
  personal: 'way-in',
  status: 204,
  params: z.object({ sessionId: SessionId }),
  problems: ['session-not-found'],
})

export const endOtherSessions = defineUserOperation({
  id: 'endOtherSessions',
  summary: 'Sign out all browsers but the one that asks',
  method: 'DELETE',
  path: '/api/me/sessions',
  auth: 'viewer',
  personal: 'way-in',
  status: 204,
  problems: [],
})

export const setPassword = defineUserOperation({
  id: 'setPassword',
  summary: 'Set or change the own password; other sessions end',
  method: 'PUT',
  path: '/api/me/password',
  auth: 'viewer',
  personal: 'way-in',
  presence: true,
  status: 204,
  body: z.strictObject({
    newPassword: secret(z.string().min(12).max(256)),
    email: z.email().max(320).optional().describe('The address to sign in with; needed by a user who has none yet.'),
  }),
  problems: ['presence-needed', 'password-changed', 'name-taken'],
})

/** A token of a person, for the CLI and programs. The secret is shown once, at creation. */
export const ApiToken = z.object({
  id: TokenId,
  name: z.string(),
  role: Role.exclude(['owner']),
  /** First characters of the secret, to tell tokens apart. */
  hint: z.string(),
  createdAt: Timestamp,
  lastUsedAt: Timestamp.optional(),
  expiresAt: Timestamp.optional(),
})
export type ApiToken = z.infer<typeof ApiToken>

export const listApiTokens = defineUserOperation({
  id: 'listApiTokens',
  summary: 'List the own API tokens',
  method: 'GET',
  path: '/api/tokens',
  auth: 'viewer',
  personal: 'way-in',
  status: 200,
  reply: z.object({ items: z.array(ApiToken) }),
  problems: [],
})

export const createApiToken = defineUserOperation({
  id: 'createApiToken',
  summary: 'Create an API token; its secret is in this reply only',
  method: 'POST',
  path: '/api/tokens',
  auth: 'viewer',
  personal: 'way-in',
  presence: true,
  status: 201,
  body: z.strictObject({
    name: z.string().min(1).max(100),
    role: Role.exclude(['owner']).default('admin').describe("At most the caller's own."),
    expiresInDays: z.int().min(1).max(3_650).optional(),
  }),
  reply: z.object({ token: ApiToken, secret: secret(z.string()) }),
  problems: ['presence-needed', 'forbidden'],
})

export const revokeApiToken = defineUserOperation({
  id: 'revokeApiToken',
  summary: 'Revoke an API token',
  method: 'DELETE',
  path: '/api/tokens/:tokenId',
  auth: 'viewer',
  personal: 'way-in',
  status: 204,
  params: z.object({ tokenId: TokenId }),
  problems: ['token-not-found'],
})
