import { type Assertion, problem } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { BrowserSession } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { type AttemptLimit, counted, createAttemptLimit } from './attempt-limit.ts'
import { findMembership } from './member.store.ts'
import { CHALLENGE_MS, createPasskeyCheck, isCopied } from './passkey.check.ts'
import { findByCredential, listPasskeyRows, noteUse, type PasskeyRow } from './passkey.store.ts'
import { type ProofOf, rememberProof, takeProof } from './proof.store.ts'

export interface PasskeyProverDeps {
  readonly store: Store
  readonly clock: Clock
  /** Origin of the page; passkeys are bound to it. */
  readonly publicUrl: string
  /** Failures from one address, whichever way in is tried. */
  readonly byAddress: AttemptLimit
}

/** What a signature is asked for; one that was made for something else is worth nothing. */
export type Asked =
  | { readonly purpose: 'passkey-sign-in' }
  | { readonly purpose: 'passkey-presence'; readonly userId: string; readonly sessionId: string }

export type PasskeyProver = ReturnType<typeof createPasskeyProver>

/** Within a minute, from one address: they cost a row each. */
const CHALLENGES = 60

/** Challenges that browsers are given, once each, and the passkeys that answer them. */
export function createPasskeyProver({ store, clock, publicUrl, byAddress }: PasskeyProverDeps) {
  const check = createPasskeyCheck(publicUrl)
  const challenges = createAttemptLimit({ perMinute: CHALLENGES, clock, what: 'sign-ins begun from this address' })
  const now = () => new Date(clock.now())
  const remember = (tx: Tx, proof: ProofOf, value: string) =>
    rememberProof(tx, proof, value, new Date(clock.now() + CHALLENGE_MS))
  const isGiven = (proof: ProofOf, value: string): Promise<boolean> =>
    store.system(async (tx) => (await takeProof(tx, proof, now())) === value)

  /** @throws {ProblemError} `passkey-refused` */
  async function read(credential: Assertion, asked: Asked): Promise<PasskeyRow> {
    const row = await store.system((tx) => findByCredential(tx, credential.id))
    if (!row) throw problem('passkey-refused', 'The passkey is not known here; it may have been removed')
    if (asked.purpose === 'passkey-presence' && asked.userId !== row.userId)
      throw problem('passkey-refused', 'The passkey is that of another person than is signed in')
    const came = await check.readAssertion(credential, row, (secret) =>
      isGiven({ purpose: asked.purpose, secret }, givenIn(asked)),
    )
    const isNoted = () => store.system((tx) => noteUse(tx, row, { ...came, now: now() }))
    if (isCopied(row.counter, came.counter) || !(await isNoted())) {
      await store.system((tx) => recordCopy(tx, row))
      throw problem('passkey-refused', 'The passkey counts wrongly: it may have been copied. Remove it under Settings')
    }
    return row
  }

  return {
    /** What the browser is asked for to make one, in this session. @throws {RateLimited} */
    async beginNew(
      { userId, email, sessionId }: { readonly userId: string; readonly email: string; readonly sessionId: string },
      { address }: BrowserSession,
    ) {
      challenges.take(address)
      return store.system(async (tx) => {
        const options = await check.newOptions({ userId, email }, await listPasskeyRows(tx, userId))
        await remember(tx, { purpose: 'passkey-new', secret: options.challenge }, sessionId)
        return { options: { ...options } }
      })
    },

    /** The passkey that was made for this session. @throws {ProblemError} `passkey-refused` */
    readNew: (credential: Parameters<typeof check.readNew>[0], sessionId: string) =>
      check.readNew(credential, (secret) => isGiven({ purpose: 'passkey-new', secret }, sessionId)),

    /** What the browser is asked for to use one. @throws {RateLimited} */
    async begin(asked: Asked, { address }: BrowserSession) {
      challenges.take(address)
      return store.system(async (tx) => {
        const among = asked.purpose === 'passkey-presence' ? await listPasskeyRows(tx, asked.userId) : undefined
        const options = await check.askOptions(among)
        await remember(tx, { purpose: asked.purpose, secret: options.challenge }, givenIn(asked))
        return { options: { ...options } }
      })
    },

    /** The passkey that was used; failures are counted. @throws {ProblemError} `passkey-refused`; {RateLimited} */
    prove: (credential: Assertion, asked: Asked, { address }: BrowserSession): Promise<PasskeyRow> =>
      counted([byAddress.take(address)], () => read(credential, asked)),
  }
}

/** What is remembered of a challenge: in which session it was given. Who signs in has none yet. */
const givenIn = (asked: Asked): string => (asked.purpose === 'passkey-presence' ? asked.sessionId : '')

async function recordCopy(tx: Tx, { userId, name }: PasskeyRow): Promise<void> {
  const member = await findMembership(tx, userId)
  if (!member) return
  const { accountId, email: actor } = member
  const message = `Refused the passkey ${name}: it counts wrongly, and may have been copied`
  await recordActivity(tx, { accountId, actor, action: 'user.passkey-refused', subject: userId, message })
}
