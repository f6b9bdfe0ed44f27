import {
  type Assertion,
  addPasskey,
  beginPasskey,
  beginPasskeySignIn,
  listPasskeys,
  problem,
  removePasskey,
  signInWithPasskey,
} from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { asUser } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import { newId } from '../new-id.ts'
import type { Clock } from '../reconcile/clock.ts'
import { isUniqueViolation, type Store, type Tx } from '../store/connect.ts'
import { counted, createAttemptLimit } from './attempt-limit.ts'
import { findMembership } from './member.store.ts'
import { CHALLENGE_MS, createPasskeyCheck, isCopied } from './passkey.check.ts'
import {
  countOtherWaysIn,
  deletePasskey,
  findByCredential,
  insertPasskey,
  listPasskeyRows,
  noteUse,
  type PasskeyRow,
  passkeyViewOf,
} from './passkey.store.ts'
import type { PasswordCheck } from './password-check.ts'
import { type ProofOf, rememberProof, takeProof } from './proof.store.ts'
import { withBrowser } from './session.routes.ts'
import type { SignOnConfig } from './sign-on.config.ts'
import { providerIdOf } from './sign-on.store.ts'
import type { SignedIn } from './signed-in.ts'

export interface PasskeyRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly checkPassword: PasswordCheck
  readonly signedIn: SignedIn
  /** Origin of the page; passkeys are bound to it. */
  readonly publicUrl: string
  readonly signOn: SignOnConfig | undefined
}

/** Within a minute, from one address: challenges, which cost a row each; and failed sign-ins. */
const CHALLENGES = 60
const FAILURES = 20
/** More are of no use, and each is shown to the browser when another is made. */
const MOST_PASSKEYS = 20

export function passkeyRoutes(mount: Mount, deps: PasskeyRouteDeps): void {
  const { store, clock, checkPassword, signedIn, publicUrl, signOn } = deps
  const check = createPasskeyCheck(publicUrl)
  const challenges = createAttemptLimit({ perMinute: CHALLENGES, clock, what: 'sign-ins begun from this address' })
  const failures = createAttemptLimit({ perMinute: FAILURES, clock, what: 'failed sign-ins from this address' })
  /** A provider that was configured once is of no use any more. */
  const usable = ['credential', ...(signOn ? [providerIdOf(signOn.issuer)] : [])]
  const now = () => new Date(clock.now())
  const remember = (tx: Tx, proof: ProofOf, value: string) =>
    rememberProof(tx, proof, value, new Date(clock.now() + CHALLENGE_MS))

  mount.reply(listPasskeys, async (_, { caller }) => {
    const rows = await store.system((tx) => listPasskeyRows(tx, asUser(caller).userId))
    return { items: rows.map(passkeyViewOf) }
  })

  mount.reply(beginPasskey, async ({ body }, { caller, browser }) => {
    const { userId, actor: email } = withBrowser(caller)
    challenges.take(browser.address)
    await checkPassword(userId, body.currentPassword)
    return store.system(async (tx) => {
      const options = await check.newOptions({ userId, email }, await listPasskeyRows(tx, userId))
      await remember(tx, { purpose: 'passkey-new', secret: options.challenge }, userId)
      return { options: { ...options } }
    })
  })

  mount.reply(addPasskey, async ({ body }, { caller }) => {
    const { userId, accountId, actor } = withBrowser(caller)
    const made = await check.readNew(body.credential, (secret) =>
      store.system(async (tx) => (await takeProof(tx, { purpose: 'passkey-new', secret }, now())) === userId),
    )
    return store
      .system(async (tx) => {
        if ((await listPasskeyRows(tx, userId)).length >= MOST_PASSKEYS)
          throw problem('passkey-refused', `You have ${MOST_PASSKEYS} passkeys; remove one first`)
        const row = await insertPasskey(tx, {
          id: newId('passkey'),
          userId,
          name: body.name,
          createdAt: now(),
          ...made,
        })
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
      const others = await countOtherWaysIn(tx, userId, params.passkeyId, usable)
      const row = (await listPasskeyRows(tx, userId)).find(({ id }) => id === params.passkeyId)
      if (!row) throw problem('passkey-not-found', `You have no passkey ${params.passkeyId}`)
      if (others === 0) throw problem('last-way-in', `Without ${row.name} you could not sign in any more`)
      await deletePasskey(tx, row.id)
      const message = `Removed the passkey ${row.name}`
      await recordActivity(tx, { accountId, actor, action: 'user.passkey-removed', subject: userId, message })
    })
    return undefined
  })

  mount.reply(beginPasskeySignIn, async (_, { browser }) => {
    challenges.take(browser.address)
    const options = await check.signInOptions()
    await store.system((tx) => remember(tx, { purpose: 'passkey-sign-in', secret: options.challenge }, ''))
    return { options: { ...options } }
  })

  mount.reply(signInWithPasskey, async ({ body: { credential } }, { browser }) => {
    const row = await counted([failures.take(browser.address)], () => proven(credential))
    return signedIn.begin(row.userId, browser, `with the passkey ${row.name}`)
  })

  /** @returns The passkey that it was made with. */
  async function proven(credential: Assertion): Promise<PasskeyRow> {
    const row = await store.system((tx) => findByCredential(tx, credential.id))
    if (!row) throw problem('passkey-refused', 'The passkey is not known here; it may have been removed')
    const came = await check.readAssertion(credential, row, (secret) =>
      store.system(async (tx) => (await takeProof(tx, { purpose: 'passkey-sign-in', secret }, now())) !== undefined),
    )
    const isNoted = () => store.system((tx) => noteUse(tx, row, { ...came, now: now() }))
    if (isCopied(row.counter, came.counter) || !(await isNoted())) {
      await store.system((tx) => recordCopy(tx, row))
      throw problem('passkey-refused', 'The passkey counts wrongly: it may have been copied. Remove it under Settings')
    }
    return row
  }
}

async function recordCopy(tx: Tx, { userId, name }: PasskeyRow): Promise<void> {
  const member = await findMembership(tx, userId)
  if (!member) return
  const { accountId, email: actor } = member
  const message = `Refused the passkey ${name}: it counts wrongly, and may have been copied`
  await recordActivity(tx, { accountId, actor, action: 'user.passkey-refused', subject: userId, message })
}
