import { PROBLEMS, ProblemError, problem, type UserOperation, type Way } from '@agentopia/api'
import { and, eq } from 'drizzle-orm'
import { asUser, type Caller, withBrowser } from '../http/caller.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { sessions } from '../store/schema/index.ts'
import { listWaysIn } from './ways-in.store.ts'

/** A proof of being there is good for so long, in the session in which it was given. */
const PRESENCE_MS = 5 * 60_000

/** Refused until the person shows to be there; the document says by which ways. */
class PresenceNeeded extends ProblemError {
  readonly ways: readonly Way[]

  constructor(ways: readonly Way[]) {
    const how =
      ways.length > 0 ? '' : ' You have no password, no passkey and no single sign-on: open a new sign-in link'
    super('presence-needed', PROBLEMS['presence-needed'], `This changes how you sign in, or lets in for long.${how}`)
    this.ways = ways
  }

  override toDocument(instance: string) {
    return { ...super.toDocument(instance), ways: this.ways }
  }
}

/** A proof of tomorrow, before the clock was set back, is none. */
const isRecent = (provenAt: Date, now: number): boolean =>
  provenAt.getTime() <= now && now - provenAt.getTime() < PRESENCE_MS

export interface PresenceDeps {
  readonly store: Store
  readonly clock: Clock
  /** Of single sign-on, when it is configured: `providerIdOf`. */
  readonly signOnProviderId: string | undefined
}

export type Presence = ReturnType<typeof createPresence>

/**
 * Is it the person who asks, or somebody who found the browser open? What lets in for long asks for a proof, whoever has which ways:
 * a sign-in by password, passkey or link, or the same again. It is a date on the session, so it ends with that, and goes nowhere else.
 */
export function createPresence({ store, clock, signOnProviderId }: PresenceDeps) {
  return {
    /** @throws {ProblemError} `forbidden` for a token, unless only sessions are asked; {@link PresenceNeeded} */
    async require(caller: Caller, of: NonNullable<UserOperation['presence']>): Promise<void> {
      if (of === 'of-sessions' && asUser(caller).sessionId === undefined) return
      const { userId, sessionId } = withBrowser(caller)
      await store.system(async (tx) => {
        const [session] = await tx
          .select({ provenAt: sessions.provenAt })
          .from(sessions)
          .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId)))
        if (session?.provenAt && isRecent(session.provenAt, clock.now())) return
        const ways = (await listWaysIn(tx, userId, signOnProviderId)).map(({ way }) => way)
        throw new PresenceNeeded([...new Set(ways)])
      })
    },

    /** The person of this session showed to be there. @throws {ProblemError} `unauthenticated` when it ended meanwhile. */
    async note(tx: Tx, { userId, sessionId }: { readonly userId: string; readonly sessionId: string }): Promise<void> {
      const noted = await tx
        .update(sessions)
        .set({ provenAt: new Date(clock.now()) })
        .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId)))
        .returning({ id: sessions.id })
      if (noted.length === 0) throw problem('unauthenticated', 'The session ended meanwhile')
    },
  }
}
