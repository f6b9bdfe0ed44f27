import { problem } from '@agentopia/api'
import type { Context } from 'hono'
import { type Caller, lowerRole } from '../http/caller.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import { createSeldom } from '../reconcile/seldom.ts'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import { findTokenIdentity, noteTokenUse, type TokenIdentity } from './api-token.store.ts'
import { type Auth, isRefusal } from './auth.ts'
import { findMembership } from './member.store.ts'
import { isIdle, noteSessionUse, NOTED_EVERY_MS as SESSION_NOTED_EVERY_MS } from './session.store.ts'
import { createShortMemory } from './short-memory.ts'

type UserCaller = Extract<Caller, { kind: 'user' }>

interface Agent {
  readonly accountId: string
  readonly agentId: string
  readonly agentName: string
}

export interface AuthenticatorDeps {
  readonly store: Store
  readonly auth: Auth
  readonly clock: Clock
  readonly log: Log
  /** Which agent a token `agt_…` stands for; `undefined` for none. */
  readonly findAgent: (secret: string) => Promise<Agent | undefined>
}

export interface Authenticator {
  /** Who sends this request; `undefined` for nobody. @throws {ProblemError} `unauthenticated` for a token that is not valid. */
  authenticate(c: Context): Promise<Caller | undefined>
  /** Whose the token of an `Authorization` header is. @throws {ProblemError} `unauthenticated` */
  byBearer(authorization: string): Promise<Caller>
  /** Makes a revocation hold at once in this process; others follow within {@link TOKEN_MEMORY_MS}. */
  forgetTokens(): void
}

/** How long a token that was found valid is believed without asking again. */
const TOKEN_MEMORY_MS = 5_000
const USE_NOTED_EVERY_MS = 60_000

export function createAuthenticator({ store, auth, clock, log, findAgent }: AuthenticatorDeps): Authenticator {
  const tokens = createShortMemory<TokenIdentity>(clock, { ttlMs: TOKEN_MEMORY_MS, most: 10_000 })
  const isDue = createSeldom(clock, USE_NOTED_EVERY_MS)

  async function byBearer(header: string): Promise<Caller> {
    const secret = /^Bearer ([\w.~+/=-]{1,512})$/i.exec(header)?.[1] ?? ''
    const caller = secret.startsWith('agt_') ? await byAgentToken(secret) : await byApiToken(secret)
    if (!caller) throw problem('unauthenticated', 'The bearer token is not valid: unknown, expired or revoked')
    return caller
  }

  async function byAgentToken(secret: string): Promise<Caller | undefined> {
    const agent = await findAgent(secret)
    return (
      agent && { kind: 'agent', accountId: agent.accountId, agentId: agent.agentId, actor: `agent ${agent.agentName}` }
    )
  }

  async function byApiToken(secret: string): Promise<UserCaller | undefined> {
    if (!secret.startsWith('tbx_')) return undefined
    const find = () => store.system((tx) => findTokenIdentity(tx, secret))
    const found = await tokens.recall(digestOf(secret), find)
    if (!found || (found.expiresAt && found.expiresAt.getTime() <= clock.now())) return undefined
    noteUse(found.tokenId)
    return {
      kind: 'user',
      accountId: found.accountId,
      userId: found.userId,
      role: lowerRole(found.tokenRole, found.ownerRole),
      actor: `token ${found.name}`,
    }
  }

  /** Nobody waits for it: a call is not slower, nor does it fail, for the sake of "last used". */
  function noteUse(tokenId: string): void {
    if (!isDue(tokenId)) return
    store
      .system((tx) => noteTokenUse(tx, tokenId))
      .catch((err: unknown) => log.warn({ err, tokenId }, 'use of a token not noted'))
  }

  /** As for tokens, nobody waits for it. */
  function noteSession(sessionId: string, now: number): void {
    store
      .system((tx) => noteSessionUse(tx, sessionId, new Date(now)))
      .catch((err: unknown) => log.warn({ err, sessionId }, 'use of a session not noted'))
  }

  async function byCookie(cookie: string): Promise<UserCaller | undefined> {
    const session = await readSession(cookie)
    if (!session) return undefined
    const { id: sessionId, userId, activeOrganizationId } = session.session
    const now = clock.now()
    if (isIdle(session.session, now)) return undefined
    if (now - session.session.updatedAt.getTime() >= SESSION_NOTED_EVERY_MS) noteSession(sessionId, now)
    const member = await store.system((tx) => findMembership(tx, userId, activeOrganizationId))
    if (!member) return undefined
    const { accountId, role, email } = member
    return { kind: 'user', accountId, userId, role, actor: email, sessionId }
  }

  async function readSession(cookie: string) {
    try {
      return await auth.api.getSession({ headers: new Headers({ cookie }) })
    } catch (cause) {
      if (isRefusal(cause)) return null
      throw problem('store-unavailable', 'The session could not be looked up', { cause })
    }
  }

  return {
    async authenticate(c) {
      const authorization = c.req.header('authorization')
      if (authorization !== undefined) return byBearer(authorization)
      const cookie = c.req.header('cookie')
      return cookie === undefined ? undefined : byCookie(cookie)
    },
    byBearer,
    forgetTokens: () => tokens.clear(),
  }
}
