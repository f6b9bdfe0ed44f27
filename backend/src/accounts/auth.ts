import { hkdfSync } from 'node:crypto'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { APIError, createAuthEndpoint } from 'better-auth/api'
import { setSessionCookie } from 'better-auth/cookies'
import { betterAuth } from 'better-auth/minimal'
import { organization } from 'better-auth/plugins/organization'
import { adminAc, memberAc, ownerAc } from 'better-auth/plugins/organization/access'
import type { BetterAuthPlugin } from 'better-auth/types'
import * as z from 'zod'
import type { Log } from '../log.ts'
import type { Database } from '../store/connect.ts'
import { accounts, invitations, members, sessions, signIns, users, verifications } from '../store/schema/index.ts'

export interface AuthDeps {
  readonly database: Database
  readonly rootKey: Uint8Array
  /** Origin of the page. With https the cookie is bound to this very host and to encrypted connections. */
  readonly publicUrl: string
  readonly log: Log
}

/** Passwords are chosen by people; what a shorter one saves in typing, a guesser saves in years. */
const PASSWORD_LEAST = 12
/** A browser is signed in for so long. */
const SESSION_SECONDS = 14 * 24 * 3_600

export type Auth = ReturnType<typeof createAuth>

/**
 * The accounts library: passwords, sessions, accounts and who is in them.
 * Its own HTTP routes are not served; the operations of the API call it.
 */
export function createAuth({ database, rootKey, publicUrl, log }: AuthDeps) {
  const secure = publicUrl.startsWith('https:')
  return betterAuth({
    baseURL: publicUrl,
    secret: Buffer.from(hkdfSync('sha256', rootKey, '', 'agentopia session cookies', 32)).toString('base64url'),
    telemetry: { enabled: false },
    // Our own checks stand before it: origin and limits are decided once, for every operation alike.
    rateLimit: { enabled: false },
    trustedOrigins: [publicUrl],
    logger: { level: 'error', log: (_, message) => log.error({ message }, 'accounts library') },
    database: drizzleAdapter(database, {
      provider: 'pg',
      schema: {
        user: users,
        session: sessions,
        account: signIns,
        verification: verifications,
        organization: accounts,
        member: members,
        invitation: invitations,
      },
    }),
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: PASSWORD_LEAST, maxPasswordLength: 256 },
    session: { expiresIn: SESSION_SECONDS, disableSessionRefresh: true },
    advanced: {
      useSecureCookies: false, // would put a prefix of its own before the name
      ipAddress: { disableIpTracking: true },
      cookies: {
        session_token: {
          name: secure ? '__Host-agentopia-session' : 'agentopia-session',
          attributes: { httpOnly: true, sameSite: 'lax', path: '/', secure },
        },
      },
    },
    plugins: [
      organization({
        roles: { owner: ownerAc, admin: adminAc, operator: memberAc, viewer: memberAc },
        creatorRole: 'owner',
        allowUserToCreateOrganization: false,
      }),
      sessionStart,
    ],
  })
}

/** Signs a user in without a password: for a one-time link that was checked before. Never served. */
const sessionStart = {
  id: 'session-start',
  endpoints: {
    startSession: createAuthEndpoint(
      '/start-session',
      { method: 'POST', body: z.object({ userId: z.string() }), metadata: { SERVER_ONLY: true } },
      async (ctx) => {
        const user = await ctx.context.internalAdapter.findUserById(ctx.body.userId)
        if (!user) throw new APIError('UNAUTHORIZED')
        const session = await ctx.context.internalAdapter.createSession(user.id)
        await setSessionCookie(ctx, { session, user })
        return ctx.json({ sessionId: session.id, userId: user.id })
      },
    ),
  },
} satisfies BetterAuthPlugin

/** Did the library refuse, rather than fail? */
export const isRefusal = (error: unknown): boolean => error instanceof APIError && error.statusCode < 500
