import { type Me, problem } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { BrowserSession } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { orUnavailable } from '../store/database-error.ts'
import type { Auth } from './auth.ts'
import { findMe, findMembership } from './member.store.ts'
import { noteStart } from './session.store.ts'

export interface SignedInDeps {
  readonly store: Store
  readonly auth: Auth
  readonly clock: Clock
  /** Of single sign-on, when it is configured: `providerIdOf`. */
  readonly signOnProviderId: string | undefined
}

export interface NewSession {
  /** Did the person give a proof of being there just now? A provider may let in by a session of its own. */
  readonly proven: boolean
  /** The account that it is in first. */
  readonly accountId?: string
}

export type SignedIn = ReturnType<typeof createSignedIn>

/** What comes after somebody proved who he is, however that was. */
export function createSignedIn({ store, auth, clock, signOnProviderId }: SignedInDeps) {
  const meIn = (tx: Tx, userId: string, accountId: string): Promise<Me | undefined> =>
    findMe(tx, userId, accountId, signOnProviderId)

  /** Who it is. @throws {ProblemError} `sign-in-refused` for somebody who is in no account. */
  async function find(tx: Tx, userId: string): Promise<Me> {
    const member = await findMembership(tx, userId)
    const me = member && (await meIn(tx, userId, member.accountId))
    if (!me) throw problem('sign-in-refused', 'This person is in no account')
    return me
  }

  /** Starts a session in this browser. */
  async function start(userId: string, browser: BrowserSession, { proven, accountId }: NewSession): Promise<void> {
    const { headers, response } = await orUnavailable(() =>
      auth.api.startSession({ body: { userId }, headers: new Headers(), returnHeaders: true }),
    )
    const begun = { browser: browser.name, accountId, proven, now: new Date(clock.now()) }
    await store.system((tx) => noteStart(tx, response.sessionId, begun))
    browser.setCookies(headers.getSetCookie())
  }

  /**
   * Starts a session in this browser, and records it. Who is in no account is refused before there is one.
   * @param how `by password`. @throws {ProblemError} `sign-in-refused`
   */
  async function begin(userId: string, browser: BrowserSession, how: string, session: NewSession): Promise<Me> {
    await store.system((tx) => find(tx, userId))
    await start(userId, browser, session)
    return store.system(async (tx) => {
      const me = await find(tx, userId)
      const { account, user } = me
      const message = `Signed in ${how}`
      await recordActivity(tx, {
        accountId: account.id,
        actor: user.email,
        action: 'user.signed-in',
        subject: userId,
        message,
      })
      return me
    })
  }

  return { meIn, find, start, begin }
}
