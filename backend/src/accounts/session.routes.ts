import {
  endOtherSessions,
  endSession,
  getMe,
  listSessions,
  problem,
  redeemSignInLink,
  setPassword,
  signIn,
  signOut,
} from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { asUser, withBrowser } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { type AttemptLimit, counted } from './attempt-limit.ts'
import type { Auth } from './auth.ts'
import { changePassword } from './password.ts'
import type { PasswordCheck } from './password-check.ts'
import { deleteOtherSessions, deleteSession, listSessionsOf } from './session.store.ts'
import { redeemSignInToken } from './sign-in-link.store.ts'
import type { SignedIn } from './signed-in.ts'

export interface SessionRouteDeps {
  readonly store: Store
  readonly auth: Auth
  readonly clock: Clock
  /** Failures from one address, whichever way in is tried. */
  readonly byAddress: AttemptLimit
  readonly checkPassword: PasswordCheck
  readonly signedIn: SignedIn
}

export function sessionRoutes(
  mount: Mount,
  { store, auth, clock, byAddress, checkPassword, signedIn }: SessionRouteDeps,
): void {
  mount.reply(getMe, async (_, { caller }) => {
    const user = asUser(caller)
    const me = await store.system((tx) => signedIn.meIn(tx, user.userId, user.accountId))
    if (!me) throw problem('unauthenticated', 'You are in this account no more')
    return { ...me, role: user.role }
  })

  mount.reply(signIn, async ({ body }, { browser }) => {
    const { address } = browser
    const userId = await checkPassword({ ...body, address, refusal: 'E-mail or password is not right' })
    return signedIn.begin(userId, browser, 'by password', { proven: true })
  })

  mount.reply(redeemSignInLink, async ({ body }, { browser }) => {
    const userId = await counted([byAddress.take(browser.address)], async () => {
      const owner = await store.system((tx) => redeemSignInToken(tx, body.token, new Date(clock.now())))
      if (owner === undefined)
        throw problem('sign-in-link-used', 'This link was used before, or is older than 15 minutes')
      return owner
    })
    return signedIn.begin(userId, browser, 'by a one-time link', { proven: true })
  })

  mount.reply(signOut, async (_, { browser }) => {
    const { headers } = await auth.api.signOut({ headers: browser.headers, returnHeaders: true })
    browser.setCookies(headers.getSetCookie())
    return undefined
  })

  mount.reply(listSessions, async (_, { caller }) => {
    const { userId, sessionId } = asUser(caller)
    return { items: await store.system((tx) => listSessionsOf(tx, userId, sessionId, new Date(clock.now()))) }
  })

  mount.reply(endSession, async ({ params }, { caller }) => {
    const { userId, accountId, actor } = withBrowser(caller)
    await store.system(async (tx) => {
      if (!(await deleteSession(tx, userId, params.sessionId)))
        throw problem('session-not-found', `You have no session ${params.sessionId}`)
      const message = 'Signed out a browser'
      await recordActivity(tx, { accountId, actor, action: 'user.session-ended', subject: userId, message })
    })
    return undefined
  })

  mount.reply(endOtherSessions, async (_, { caller }) => {
    const { userId, accountId, actor, sessionId } = withBrowser(caller)
    await store.system(async (tx) => {
      const ended = await deleteOtherSessions(tx, userId, sessionId)
      const message = `Signed out ${ended === 1 ? '1 other browser' : `${ended} other browsers`}`
      await recordActivity(tx, { accountId, actor, action: 'user.session-ended', subject: userId, message })
    })
    return undefined
  })

  mount.reply(setPassword, async ({ body }, { caller }) => {
    const { userId, sessionId, accountId, actor } = withBrowser(caller)
    const { newPassword, email } = body
    await changePassword(store, auth, { userId, sessionId, newPassword, email })
    await store.tenant(accountId, (tx) =>
      recordActivity(tx, { accountId, actor, action: 'user.password', subject: userId, message: 'Set the password' }),
    )
    return undefined
  })
}
