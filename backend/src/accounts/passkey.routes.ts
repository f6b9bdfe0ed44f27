import {
  addPasskey,
  beginPasskey,
  beginPasskeySignIn,
  listPasskeys,
  problem,
  removePasskey,
  signInWithPasskey,
} from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { asUser, withBrowser } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import { newId } from '../new-id.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { isUniqueViolation } from '../store/database-error.ts'
import type { PasskeyProver } from './passkey.prover.ts'
import { deletePasskey, insertPasskey, listPasskeyRows, passkeyViewOf } from './passkey.store.ts'
import type { SignedIn } from './signed-in.ts'
import { lockWaysIn } from './ways-in.store.ts'

export interface PasskeyRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly passkeys: PasskeyProver
  readonly signedIn: SignedIn
  /** Of single sign-on, when it is configured: `providerIdOf`. */
  readonly signOnProviderId: string | undefined
}

/** More are of no use, and each is shown to the browser when another is made. */
const MOST_PASSKEYS = 20

export function passkeyRoutes(
  mount: Mount,
  { store, clock, passkeys, signedIn, signOnProviderId }: PasskeyRouteDeps,
): void {
  mount.reply(listPasskeys, async (_, { caller }) => {
    const rows = await store.system((tx) => listPasskeyRows(tx, asUser(caller).userId))
    return { items: rows.map(passkeyViewOf) }
  })

  mount.reply(beginPasskey, async (_, { caller, browser }) => {
    const { userId, actor: email, sessionId } = withBrowser(caller)
    return passkeys.beginNew({ userId, email, sessionId }, browser)
  })

  mount.reply(addPasskey, async ({ body }, { caller }) => {
    const { userId, accountId, actor, sessionId } = withBrowser(caller)
    const made = await passkeys.readNew(body.credential, sessionId)
    return store
      .system(async (tx) => {
        if ((await listPasskeyRows(tx, userId)).length >= MOST_PASSKEYS)
          throw problem('passkey-refused', `You have ${MOST_PASSKEYS} passkeys; remove one first`)
        const createdAt = new Date(clock.now())
        const row = await insertPasskey(tx, { id: newId('passkey'), userId, name: body.name, createdAt, ...made })
        const message = `Added the passkey ${row.name}`
        await recordActivity(tx, { accountId, actor, action: 'user.passkey-added', subject: userId, message })
        return passkeyViewOf(row)
      })
      .catch((error: unknown) => {
        throw isUniqueViolation(error) ? problem('passkey-refused', 'This passkey is kept here already') : error
      })
  })

  mount.reply(removePasskey, async ({ params }, { caller }) => {
    const { userId, accountId, actor } = withBrowser(caller)
    await store.system(async (tx) => {
      const ways = await lockWaysIn(tx, userId, signOnProviderId)
      const row = (await listPasskeyRows(tx, userId)).find(({ id }) => id === params.passkeyId)
      if (!row) throw problem('passkey-not-found', `You have no passkey ${params.passkeyId}`)
      if (ways.length === 1) throw problem('last-way-in', `Without ${row.name} you could not sign in any more`)
      await deletePasskey(tx, row.id)
      const message = `Removed the passkey ${row.name}`
      await recordActivity(tx, { accountId, actor, action: 'user.passkey-removed', subject: userId, message })
    })
    return undefined
  })

  mount.reply(beginPasskeySignIn, (_, { browser }) => passkeys.begin({ purpose: 'passkey-sign-in' }, browser))

  mount.reply(signInWithPasskey, async ({ body: { credential } }, { browser }) => {
    const row = await passkeys.prove(credential, { purpose: 'passkey-sign-in' }, browser)
    return signedIn.begin(row.userId, browser, `with the passkey ${row.name}`, { proven: true })
  })
}
