import type { Role } from '@agentopia/api'

/** What the provider vouches for. */
export interface SignOnClaims {
  /** Who it is, for good; an address may go to another person one day. */
  readonly subject: string
  /** In lower case. */
  readonly email: string | undefined
  readonly emailVerified: boolean
}

/** A person who is known here. */
export interface KnownPerson {
  readonly userId: string
  /** Is the person in any account? */
  readonly isMember: boolean
  /** A password or a passkey: whoever set it may not be the one whom the provider means. */
  readonly hasOtherWay: boolean
}

interface SignOnInvitation {
  readonly id: string
  readonly accountId: string
  readonly role: Role
}

export interface SignOnFacts {
  readonly claims: SignOnClaims
  /** Who wants to link, instead of signing in. */
  readonly linkTo: string | undefined
  /** Whom the provider's subject was linked with before. */
  readonly bySubject: KnownPerson | undefined
  readonly byEmail: KnownPerson | undefined
  /** To this address, still open. */
  readonly invitation: SignOnInvitation | undefined
  /** Domains whose people come in without an invitation. */
  readonly domains: readonly string[]
  /** Where those come to, and as what. */
  readonly home: { readonly accountId: string; readonly role: Role }
}

/** A place in an account, for somebody who has none. */
export interface SignOnPlace {
  readonly accountId: string
  readonly role: Role
  readonly invitationId?: string
}

export type SignOnDecision =
  | { readonly kind: 'enter'; readonly userId: string; readonly link: boolean; readonly place?: SignOnPlace }
  | { readonly kind: 'join'; readonly email: string; readonly place: SignOnPlace }
  | { readonly kind: 'refuse'; readonly code: 'sign-on-refused' | 'sign-on-unlinked'; readonly why: string }

/** Who comes in by single sign-on, and as whom. Decides; touches nothing. */
export function decideSignOn(facts: SignOnFacts): SignOnDecision {
  const { claims, linkTo, bySubject, byEmail, invitation, domains, home } = facts
  const { email, emailVerified } = claims
  if (email === undefined || !emailVerified)
    return refuse('The provider does not say that it verified your e-mail address')

  if (linkTo !== undefined) {
    if (bySubject && bySubject.userId !== linkTo) return refuse('This sign-on belongs to another person here')
    return { kind: 'enter', userId: linkTo, link: true }
  }
  const invited = invitation && { ...invitation, invitationId: invitation.id }
  const known = bySubject ?? byEmail
  if (!known) {
    if (invited) return { kind: 'join', email, place: placeOf(invited) }
    if (domains.includes(domainOf(email))) return { kind: 'join', email, place: home }
    return refuse(`${email} is not invited here`)
  }
  // An address alone proves nothing of whoever set a password under it.
  if (!bySubject && known.hasOtherWay)
    return {
      kind: 'refuse',
      code: 'sign-on-unlinked',
      why: `${email} signs in here in another way, and is not linked with single sign-on yet`,
    }
  const link = bySubject === undefined
  if (known.isMember) return { kind: 'enter', userId: known.userId, link }
  // Who was removed does not come back by the domain alone.
  if (invited) return { kind: 'enter', userId: known.userId, link, place: placeOf(invited) }
  return refuse(`${email} was removed from here`)
}

export interface SignOnProofFacts {
  /** Whom the provider's subject is linked with. */
  readonly bySubject: KnownPerson | undefined
  /** Who is signed in. */
  readonly userId: string
  /** When he last signed in at the provider, as that says, in whole seconds: milliseconds since the epoch. */
  readonly authenticatedAt: number | undefined
  /** When he was sent there: milliseconds since the epoch. */
  readonly begunAt: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The clock of the provider may be behind by so much, and no more: a sign-in from before would count as one made for this. */
const BEHIND_MS = 5_000
/** And ahead by so much. */
const AHEAD_MS = 30_000

/** Why coming back from the provider does not show that somebody is there; `undefined`: it does. */
export function whyNoProof(facts: SignOnProofFacts): string | undefined {
  const { bySubject, userId, authenticatedAt, begunAt, now } = facts
  if (bySubject?.userId !== userId) return 'Another person signed in at the provider than here'
  if (authenticatedAt === undefined)
    return 'The provider does not say when you signed in there: show in another way that you are there'
  // A provider that ignores that it was to ask anew would let in whoever found the browser open.
  if (authenticatedAt < begunAt - BEHIND_MS) return 'The provider did not ask you to sign in anew'
  if (authenticatedAt > now + AHEAD_MS) return 'The clock of the provider is ahead of the one here'
  return undefined
}

const placeOf = ({ accountId, role, invitationId }: SignOnPlace): SignOnPlace => ({
  accountId,
  role,
  ...(invitationId ? { invitationId } : {}),
})

const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1)

const refuse = (why: string): SignOnDecision => ({ kind: 'refuse', code: 'sign-on-refused', why })
