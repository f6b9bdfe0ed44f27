import { finishSignOn, linkSignOn, problem, startSignOn, unlinkSignOn } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { withBrowser } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { isUniqueViolation } from '../store/database-error.ts'
import { type AttemptLimit, counted } from './attempt-limit.ts'
import { FIRST_ACCOUNT } from './first-account.ts'
import { findInvitationTo, useInvitation } from './invitation.store.ts'
import { findMembership } from './member.store.ts'
import { insertMember } from './people.store.ts'
import type { Presence } from './presence.ts'
import { refused, type SignOnAttempts, type TakenAttempt } from './sign-on.attempt.ts'
import type { SignOnConfig } from './sign-on.config.ts'
import { decideSignOn, type SignOnDecision, type SignOnPlace, whyNoProof } from './sign-on.decision.ts'
import type { CameBack } from './sign-on.provider.ts'
import { deleteLink, findByEmail, findBySubject, insertLink, insertVouchedFor, providerIdOf } from './sign-on.store.ts'
import type { SignedIn } from './signed-in.ts'
import { lockWaysIn } from './ways-in.store.ts'

export interface SignOnRouteDeps {
  readonly store: Store
  readonly clock: Clock
  /** Failures from one address, whichever way in is tried. */
  readonly byAddress: AttemptLimit
  readonly attempts: SignOnAttempts
  readonly presence: Presence
  readonly signedIn: SignedIn
}

export function signOnRoutes(
  mount: Mount,
  { store, clock, byAddress, attempts, presence, signedIn }: SignOnRouteDeps,
): void {
  const now = () => new Date(clock.now())

  mount.reply(startSignOn, ({ body: { to } }, { browser, signal }) =>
    attempts.begin({ kind: 'sign-in', to }, browser, signal),
  )

  mount.reply(linkSignOn, async (_, { caller, browser, signal }) => {
    const { userId, sessionId } = withBrowser(caller)
    return attempts.begin({ kind: 'link', userId, sessionId }, browser, signal)
  })

  mount.reply(finishSignOn, async ({ body }, { caller, browser, signal }) => {
    const { signOn, provider } = attempts.configured()
    const { purpose, userId } = await counted([byAddress.take(browser.address)], async () => {
      const attempt = await attempts.take(body.state, caller, browser)
      const came = await provider.read(parametersOf(body), attempt.secrets, signal)
      return { purpose: attempt.purpose, userId: await store.system((tx) => carryOut(tx, signOn, attempt, came)) }
    }).catch((error: unknown) => {
      throw isUniqueViolation(error) ? refused('You came in at the same moment in another browser') : error
    })
    if (purpose.kind === 'sign-in') {
      // A provider may let somebody in by a session that he has there: it shows who it is, and not that he is here.
      const me = await signedIn.begin(userId, browser, `by ${signOn.label}`, { proven: false })
      return { me, to: purpose.to, done: 'signed-in' as const }
    }
    const me = await store.system((tx) => signedIn.find(tx, userId))
    return { me, to: '/settings', done: purpose.kind === 'link' ? ('linked' as const) : ('proven' as const) }
  })

  mount.reply(unlinkSignOn, async (_, { caller }) => {
    const { userId, accountId, actor } = withBrowser(caller)
    const { signOn } = attempts.configured()
    const providerId = providerIdOf(signOn.issuer)
    await store.system(async (tx) => {
      const ways = await lockWaysIn(tx, userId, providerId)
      if (!ways.some(({ way }) => way === 'sign-on'))
        throw problem('sign-on-not-linked', `You do not sign in by ${signOn.label}`)
      if (ways.length === 1) throw problem('last-way-in', `Without ${signOn.label} you could not sign in any more`)
      await deleteLink(tx, userId, providerId)
      const message = `Unlinked single sign-on by ${signOn.label}`
      await recordActivity(tx, { accountId, actor, action: 'user.sign-on-unlinked', subject: userId, message })
    })
    return undefined
  })

  /** Does what the browser was sent to the provider for. @returns whose it is. */
  async function carryOut(
    tx: Tx,
    signOn: SignOnConfig,
    { purpose, begunAt }: TakenAttempt,
    came: CameBack,
  ): Promise<string> {
    if (purpose.kind !== 'prove') return admit(tx, signOn, came, purpose.kind === 'link' ? purpose.userId : undefined)
    const { userId } = purpose
    const bySubject = await findBySubject(tx, providerIdOf(signOn.issuer), came.subject)
    const why = whyNoProof({ bySubject, userId, authenticatedAt: came.authenticatedAt, begunAt, now: clock.now() })
    if (why !== undefined) throw refused(why)
    await presence.note(tx, purpose)
    return userId
  }

  async function admit(
    tx: Tx,
    { issuer, domains, role, label }: SignOnConfig,
    { name, ...claims }: CameBack,
    linkTo: string | undefined,
  ): Promise<string> {
    const providerId = providerIdOf(issuer)
    const decision = decideSignOn({
      claims,
      linkTo,
      bySubject: await findBySubject(tx, providerId, claims.subject),
      byEmail: await findByEmail(tx, claims.email),
      invitation: claims.email === undefined ? undefined : await findInvitationTo(tx, claims.email, now()),
      domains,
      home: { accountId: FIRST_ACCOUNT, role },
    })
    if (decision.kind === 'refuse') throw problem(decision.code, decision.why)
    const userId = await personFor(tx, decision, name)
    if (decision.place) await join(tx, userId, decision.place, claims.email!)
    if (decision.kind === 'join' || decision.link) {
      await insertLink(tx, userId, providerId, claims.subject)
      const member = await findMembership(tx, userId)
      if (member) {
        const { accountId, email: actor } = member
        const message = `Linked with single sign-on by ${label}`
        await recordActivity(tx, { accountId, actor, action: 'user.sign-on-linked', subject: userId, message })
      }
    }
    return userId
  }
}

async function personFor(
  tx: Tx,
  decision: Exclude<SignOnDecision, { kind: 'refuse' }>,
  name: string | undefined,
): Promise<string> {
  if (decision.kind === 'enter') return decision.userId
  return insertVouchedFor(tx, { email: decision.email, name: name ?? decision.email })
}

async function join(
  tx: Tx,
  userId: string,
  { accountId, role, invitationId }: SignOnPlace,
  actor: string,
): Promise<void> {
  await insertMember(tx, accountId, userId, role)
  if (invitationId) await useInvitation(tx, invitationId)
  const message = `Joined as ${role} by single sign-on`
  await recordActivity(tx, { accountId, actor, action: 'member.joined', subject: userId, message })
}

const parametersOf = (came: Readonly<Record<string, string | undefined>>): URLSearchParams =>
  new URLSearchParams(Object.entries(came).filter((pair): pair is [string, string] => pair[1] !== undefined))
