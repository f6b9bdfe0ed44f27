import { beginPasskeyProof, beginSignOnProof, problem, proveByPasskey, proveByPassword } from '@agentopia/api'
import { withBrowser } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import type { PasskeyProver } from './passkey.prover.ts'
import type { PasswordCheck } from './password-check.ts'
import type { Presence } from './presence.ts'
import type { SignOnAttempts } from './sign-on.attempt.ts'

export interface PresenceRouteDeps {
  readonly store: Store
  readonly presence: Presence
  readonly checkPassword: PasswordCheck
  readonly passkeys: PasskeyProver
  readonly attempts: SignOnAttempts
}

/** Each way in shows that its person is there. By single sign-on it ends where every sign-on does: `finishSignOn`. */
export function presenceRoutes(
  mount: Mount,
  { store, presence, checkPassword, passkeys, attempts }: PresenceRouteDeps,
): void {
  mount.reply(proveByPassword, async ({ body: { password } }, { caller, browser: { address } }) => {
    const { userId, sessionId, actor: email } = withBrowser(caller)
    const refusal = 'The password is not right'
    // The address may have gone to another person since the session was looked up.
    if ((await checkPassword({ email, password, address, refusal })) !== userId)
      throw problem('sign-in-refused', refusal)
    await store.system((tx) => presence.note(tx, { userId, sessionId }))
    return undefined
  })

  mount.reply(beginPasskeyProof, async (_, { caller, browser }) => {
    const { userId, sessionId } = withBrowser(caller)
    return passkeys.begin({ purpose: 'passkey-presence', userId, sessionId }, browser)
  })

  mount.reply(proveByPasskey, async ({ body: { credential } }, { caller, browser }) => {
    const { userId, sessionId } = withBrowser(caller)
    await passkeys.prove(credential, { purpose: 'passkey-presence', userId, sessionId }, browser)
    await store.system((tx) => presence.note(tx, { userId, sessionId }))
    return undefined
  })

  mount.reply(beginSignOnProof, async (_, { caller, browser, signal }) => {
    const { userId, sessionId } = withBrowser(caller)
    return attempts.begin({ kind: 'prove', userId, sessionId }, browser, signal)
  })
}
