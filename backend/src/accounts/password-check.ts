import { problem } from '@agentopia/api'
import type { Store } from '../store/connect.ts'
import { type AttemptLimit, counted } from './attempt-limit.ts'
import type { Auth } from './auth.ts'
import { findPassword } from './member.store.ts'

export interface PasswordCheckDeps {
  readonly store: Store
  readonly auth: Auth
  /** Failures at the password of one account, wherever it is asked for. */
  readonly byAccount: AttemptLimit
}

/**
 * Asks who is signed in for the password again, if there is one: whoever finds a browser open shall not make himself a way in
 * that stays. @throws {ProblemError} `sign-in-refused`; {RateLimited} after too many failures.
 */
export type PasswordCheck = (userId: string, currentPassword: string | undefined) => Promise<void>

export const createPasswordCheck =
  ({ store, auth, byAccount }: PasswordCheckDeps): PasswordCheck =>
  async (userId, currentPassword) => {
    const hash = await store.system((tx) => findPassword(tx, userId))
    if (hash === undefined) return
    await counted([byAccount.take(userId)], async () => {
      const { password } = await auth.$context
      if (!(await password.verify({ hash, password: currentPassword ?? '' })))
        throw problem('sign-in-refused', 'The current password is not right')
    })
  }
