import { createInvitation, listInvitations, problem, revokeInvitation } from '@agentopia/api'
import { command } from '../../command.ts'
import { table } from '../../output.ts'
import { roleOf } from './people.ts'

export const memberInvite = command(
  'invite',
  'Make a link by which somebody joins; it is shown once and works once',
  {
    email: { type: 'positional', description: 'E-mail address', required: true },
    role: { type: 'string', description: 'viewer, operator, admin or owner', default: 'operator' },
  },
  async ({ client, args, output }) => {
    const body = { email: args.email, role: roleOf(args.role) }
    output.result(await client.call(createInvitation, { body }), ({ link }) => link)
  },
)

export const memberInvitations = command('invitations', 'List the open invitations', {}, async ({ client, output }) => {
  output.result(await client.call(listInvitations, {}), ({ items }) =>
    table(
      ['e-mail', 'role', 'invited by', 'open until', 'id'],
      items.map((one) => [one.email, one.role, one.invitedBy, one.expiresAt, one.id]),
    ),
  )
})

export const memberUninvite = command(
  'uninvite',
  'Take an invitation back',
  { email: { type: 'positional', description: 'E-mail address or id of the invitation', required: true } },
  async ({ client, args, output }) => {
    const { items } = await client.call(listInvitations, {})
    const found = items.find(({ id, email }) => id === args.email || email === args.email.toLowerCase())
    if (!found) throw problem('invitation-not-found', `${args.email} is not invited`)
    await client.call(revokeInvitation, { params: { invitationId: found.id } })
    output.result({ uninvited: found.email }, () => `${found.email} is invited no more`)
  },
)
