import { createHmac, randomBytes } from 'node:crypto'
import { finishSignOn, problem, startSignOn } from '@agentopia/api'
import * as z from 'zod'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import type { BrowserSession, Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf } from '../secret.ts'
import { isUniqueViolation, type Store, type Tx } from '../store/connect.ts'
import { counted, createAttemptLimit } from './attempt-limit.ts'
import { FIRST_ACCOUNT } from './first-account.ts'
import { findInvitationTo, useInvitation } from './invitation.store.ts'
import { findMembership } from './member.store.ts'
import type { PasswordCheck } from './password-check.ts'
import { insertMember } from './people.store.ts'
import { rememberProof, takeProof } from './proof.store.ts'
import type { SignOnConfig } from './sign-on.config.ts'
import { decideSignOn, type SignOnClaims, type SignOnDecision, type SignOnPlace } from './sign-on.decision.ts'
import { createSignOnProvider, type SignOnAttempt } from './sign-on.provider.ts'
import { findByEmail, findBySubject, insertLink, insertVouchedFor, providerIdOf } from './sign-on.store.ts'
import type { SignedIn } from './signed-in.ts'

export interface SignOnRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly checkPassword: PasswordCheck
  readonly signedIn: SignedIn
  readonly publicUrl: string
  /** Absent: there is no single sign-on. */
  readonly signOn: SignOnConfig | undefined
}

/** A person may take so long at the provider. */
const ATTEMPT_MS = 10 * 60_000
/** Within a minute, from one address: each begun costs a request to the provider. */
const BEGUN = 30
const FAILURES = 20

/** Where the provider sends browsers back to: a route of the page. */
const signOnRedirect = (publicUrl: string): string => `${publicUrl}/signed-on`

/** What is remembered of an attempt; nothing of it is secret. */
const Remembered = z.object({ browser: z.string(), to: z.string(), linkTo: z.string().optional() })

export function signOnRoutes(mount: Mount, deps: SignOnRouteDeps): void {
  const { store, clock, checkPassword, signedIn, publicUrl, signOn } = deps
  const provider = signOn && createSignOnProvider(signOn, signOnRedirect(publicUrl))
  const begun = createAttemptLimit({ perMinute: BEGUN, clock, what: 'sign-ins begun from this address' })
  const failures = createAttemptLimit({ perMinute: FAILURES, clock, what: 'failed sign-ins from this address' })
  const cookie = attemptCookie(publicUrl)
  const now = () => new Date(clock.now())

  function configured() {
    if (signOn && provider) return { signOn, provider }
    throw problem('sign-on-off', 'This control plane is configured with no provider of single sign-on')
  }

  mount.reply(startSignOn, async ({ body: { to, link, currentPassword } }, { caller, browser, signal }) => {
    const { provider } = configured()
    const linkTo = link ? personOf(caller) : undefined
    if (link && linkTo === undefined)
      throw problem('unauthenticated', 'Nobody is signed in with a browser to link with')
    begun.take(browser.address)
    if (linkTo !== undefined) await checkPassword(linkTo, currentPassword)
    const secret = randomBytes(32).toString('base64url')
    const attempt = attemptOf(randomBytes(32).toString('base64url'), secret)
    const authorizationUrl = await provider.authorizationUrl(attempt, signal)
    const remembered = JSON.stringify({ browser: digestOf(secret), to, linkTo })
    const expiresAt = new Date(clock.now() + ATTEMPT_MS)
    await store.system((tx) => rememberProof(tx, { purpose: 'sign-on', secret: attempt.state }, remembered, expiresAt))
    browser.setCookies([cookie.set(secret)])
    return { authorizationUrl }
  })

  mount.reply(finishSignOn, async ({ body }, { caller, browser, signal }) => {
    const { signOn, provider } = configured()
    const { userId, to } = await counted([failures.take(browser.address)], async () => {
      browser.setCookies([cookie.clear])
      const { secret, to, linkTo } = await takeAttempt(body.state, cookie.read(browser), personOf(caller))
      const { name, ...claims } = await provider.read(parametersOf(body), attemptOf(body.state, secret), signal)
      const userId = await store
        .system((tx) => admit(tx, signOn, claims, name, linkTo))
        .catch((error: unknown) => {
          throw isUniqueViolation(error) ? refused('You came in at the same moment in another browser') : error
        })
      return { userId, to }
    })
    const me = await signedIn.begin(userId, browser, `by ${signOn.label}`)
    return { me, to }
  })

  /** Uses an attempt up. @throws {ProblemError} `sign-on-refused` when it is not that of this browser and person. */
  async function takeAttempt(state: string, secret: string | undefined, person: string | undefined) {
    const value = await store.system((tx) => takeProof(tx, { purpose: 'sign-on', secret: state }, now()))
    if (value === undefined)
      throw refused('No such sign-in is open: it was used, took longer than ten minutes, or was made up')
    const { browser: begunIn, to, linkTo } = Remembered.parse(JSON.parse(value))
    // Else somebody could have this browser signed in as himself.
    if (secret === undefined || digestOf(secret) !== begunIn)
      throw refused('It was begun in another browser, or another tab')
    if (linkTo !== undefined && person !== linkTo) throw refused('Another person is signed in here than began it')
    return { secret, to, linkTo }
  }

  async function admit(
    tx: Tx,
    { issuer, domains, role, label }: SignOnConfig,
    claims: SignOnClaims,
    name: string | undefined,
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

/** The proof key and the nonce are made of what only this browser has: stored nowhere, and the attempt is bound to it. */
function attemptOf(state: string, secret: string): SignOnAttempt {
  const made = (what: string) => createHmac('sha256', secret).update(`${what} ${state}`).digest('base64url')
  return { state, nonce: made('nonce'), verifier: made('verifier') }
}

/** A person with a session: a token signs nobody in. */
const personOf = (caller: Caller | undefined): string | undefined =>
  caller?.kind === 'user' && caller.sessionId !== undefined ? caller.userId : undefined

function attemptCookie(publicUrl: string) {
  const secure = publicUrl.startsWith('https:')
  const name = secure ? '__Host-agentopia-sign-on' : 'agentopia-sign-on'
  const flags = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  const pattern = new RegExp(`(?:^|;\\s*)${name}=([\\w-]{43})(?:;|$)`)
  return {
    set: (secret: string) => `${name}=${secret}; Max-Age=${ATTEMPT_MS / 1_000}; ${flags}`,
    clear: `${name}=; Max-Age=0; ${flags}`,
    read: (browser: BrowserSession) => pattern.exec(browser.headers.get('cookie') ?? '')?.[1],
  }
}

const parametersOf = (came: Readonly<Record<string, string | undefined>>): URLSearchParams =>
  new URLSearchParams(Object.entries(came).filter((pair): pair is [string, string] => pair[1] !== undefined))

const refused = (why: string) => problem('sign-on-refused', why)
