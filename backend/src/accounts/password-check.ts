import { problem } from '@agentopia/api'
import type { Store } from '../store/connect.ts'
import { type AttemptLimit, counted } from './attempt-limit.ts'
import type { Auth } from './auth.ts'
import { findPasswordOf } from './password.store.ts'

export interface PasswordCheckDeps {
  readonly store: Store
  readonly auth: Auth
  /** Failures at the password of one address, wherever it is asked for. */
  readonly byAccount: AttemptLimit
  /** Failures from one address of the network, whichever way in is tried. */
  readonly byAddress: AttemptLimit
}

/**
 * Whose password under this address it is. It takes the same time whether the address is known.
 * @throws {ProblemError} `sign-in-refused`; {RateLimited} after too many failures.
 */
export type PasswordCheck = (given: GivenPassword) => Promise<string>

interface GivenPassword {
  readonly email: string
  readonly password: string
  /** Of the browser. */
  readonly address: string
  /** What to say of a wrong one: whoever signs in is not told which of the two it was. */
  readonly refusal: string
}

export const createPasswordCheck =
  ({ store, auth, byAccount, byAddress }: PasswordCheckDeps): PasswordCheck =>
  (given) => {
    const email = given.email.toLowerCase()
    return counted([byAddress.take(given.address), byAccount.take(email)], async () => {
      const known = await store.system((tx) => findPasswordOf(tx, email))
      const { password } = await auth.$context
      const right = known
        ? await password.verify({ hash: known.hash, password: given.password })
        : await password.hash(given.password).then(() => false)
      if (!known || !right) throw problem('sign-in-refused', given.refusal)
      return known.userId
    })
  }
