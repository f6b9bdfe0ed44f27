import { type Me, problem } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import type { BrowserSession } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { sessions } from '../store/schema/index.ts'
import type { Auth } from './auth.ts'
import { findMe, findMembership } from './member.store.ts'
import { noteStart } from './session.store.ts'

export interface SignedInDeps {
  readonly store: Store
  readonly auth: Auth
  readonly clock: Clock
}

export type SignedIn = ReturnType<typeof createSignedIn>

/** What comes after somebody proved who he is, however that was. */
export function createSignedIn({ store, auth, clock }: SignedInDeps) {
  /**
   * Records it. @param how `by password`. @returns who it is.
   * @throws {ProblemError} `sign-in-refused` for somebody who is in no account.
   */
  async function tell(userId: string, how: string): Promise<Me> {
    return store.system(async (tx) => {
      const member = await findMembership(tx, userId)
      const me = member && (await findMe(tx, userId, member.accountId))
      if (!member || !me) throw problem('sign-in-refused', 'This person is in no account')
      await recordActivity(tx, {
        accountId: member.accountId,
        actor: member.email,
        action: 'user.signed-in',
        subject: userId,
        message: `Signed in ${how}`,
      })
      return me
    })
  }

  /** Starts a session in this browser. @param accountId The one that it is in first. */
  async function start(userId: string, browser: BrowserSession, accountId?: string): Promise<void> {
    const { headers, response } = await auth.api.startSession({
      body: { userId },
      headers: new Headers(),
      returnHeaders: true,
    })
    const mine = eq(sessions.id, response.sessionId)
    await store.system(async (tx) => {
      if (accountId !== undefined) await tx.update(sessions).set({ activeOrganizationId: accountId }).where(mine)
      await noteStart(tx, mine, { browser: browser.name, now: new Date(clock.now()) })
    })
    browser.setCookies(headers.getSetCookie())
  }

  /** Starts a session in this browser, and tells. */
  async function begin(userId: string, browser: BrowserSession, how: string): Promise<Me> {
    await start(userId, browser)
    return tell(userId, how)
  }

  return { tell, start, begin }
}
