import * as z from 'zod'
import { InvitationId, secret, Timestamp, UserId } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { Me, Role } from './session.ts'

/** A person in the account. */
export const Member = z.object({
  id: UserId,
  email: z.string(),
  name: z.string(),
  role: Role,
  joinedAt: Timestamp,
})
export type Member = z.infer<typeof Member>

/** A right to join the account, bound to an address; good once, for a week. */
export const Invitation = z.object({
  id: InvitationId,
  email: z.string(),
  role: Role,
  invitedBy: z.string().describe('E-mail address.'),
  createdAt: Timestamp,
  expiresAt: Timestamp,
})
export type Invitation = z.infer<typeof Invitation>

const one = z.object({ userId: UserId })
/** From the link, behind the `#`. */
const InvitationToken = secret(z.string().min(16).max(256))

export const listMembers = defineUserOperation({
  id: 'listMembers',
  summary: 'List the people of the account',
  method: 'GET',
  path: '/api/members',
  auth: 'viewer',
  status: 200,
  reply: z.object({ items: z.array(Member) }),
  problems: [],
})
export const changeMemberRole = defineUserOperation({
  id: 'changeMemberRole',
  summary: "Change a person's role: to at most the own one, and never that of the last owner",
  method: 'PATCH',
  path: '/api/members/:userId',
  auth: 'admin',
  status: 200,
  presence: 'of-sessions',
  presenceFor: z.object({ role: Role.exclude(['viewer']) }),
  params: one,
  body: z.strictObject({ role: Role }),
  reply: Member,
  problems: ['presence-needed', 'member-not-found', 'last-owner', 'forbidden'],
})
export const removeMember = defineUserOperation({
  id: 'removeMember',
  summary: 'Remove a person from the account, with the API tokens and the clients that the person connected',
  method: 'DELETE',
  path: '/api/members/:userId',
  auth: 'admin',
  status: 204,
  params: one,
  problems: ['member-not-found', 'last-owner', 'forbidden'],
})

export const listInvitations = defineUserOperation({
  id: 'listInvitations',
  summary: 'List the invitations that are still open',
  method: 'GET',
  path: '/api/invitations',
  auth: 'admin',
  status: 200,
  reply: z.object({ items: z.array(Invitation) }),
  problems: [],
})
export const createInvitation = defineUserOperation({
  id: 'createInvitation',
  summary:
    'Invite somebody; the link is in this reply only. An earlier one to the same address is worth nothing any more',
  method: 'POST',
  path: '/api/invitations',
  auth: 'admin',
  status: 201,
  presence: 'of-sessions',
  body: z.strictObject({
    email: z.email().max(320),
    role: Role.default('operator').describe("At most the caller's own."),
  }),
  reply: z.object({ invitation: Invitation, link: secret(z.url()) }),
  problems: ['presence-needed', 'already-member', 'forbidden'],
})
export const revokeInvitation = defineUserOperation({
  id: 'revokeInvitation',
  summary: 'Take an invitation back',
  method: 'DELETE',
  path: '/api/invitations/:invitationId',
  auth: 'admin',
  status: 204,
  params: z.object({ invitationId: InvitationId }),
  problems: ['invitation-not-found'],
})

/** By POST, so that the token is in no address. */
export const readInvitation = defineUserOperation({
  id: 'readInvitation',
  summary: 'What an invitation is for: shown to whoever opens its link',
  method: 'POST',
  path: '/api/invitation',
  auth: 'none',
  status: 200,
  body: z.strictObject({ token: InvitationToken }),
  reply: z.object({
    email: z.string(),
    role: Role,
    accountName: z.string(),
  }),
  problems: ['invitation-used', 'rate-limited'],
})
export const acceptInvitation = defineUserOperation({
  id: 'acceptInvitation',
  summary: 'Join the account by an invitation; sets the session cookie',
  method: 'POST',
  path: '/api/invitation/accept',
  auth: 'none',
  status: 200,
  body: z.strictObject({
    token: InvitationToken,
    name: z.string().trim().min(1).max(100).describe('Of a person who is new here; else it stays as it is.'),
    password: secret(z.string().min(12).max(256)).describe(
      'The new one; of a person who signs in here already, the present one.',
    ),
  }),
  reply: Me,
  problems: ['invitation-used', 'sign-in-refused', 'rate-limited'],
})
