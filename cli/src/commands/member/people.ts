import { type Client, changeMemberRole, listMembers, type Member, problem, Role, removeMember } from '@agentopia/api'
import { command } from '../../command.ts'
import { table } from '../../output.ts'

const PERSON = { person: { type: 'positional', description: 'E-mail address or id', required: true } } as const

export const memberList = command('list', 'List the people of the account', {}, async ({ client, output }) => {
  output.result(await client.call(listMembers, {}), ({ items }) =>
    table(
      ['e-mail', 'name', 'role', 'joined', 'id'],
      items.map((one) => [one.email, one.name, one.role, one.joinedAt, one.id]),
    ),
  )
})

export const memberRole = command(
  'role',
  'Change the role of a person',
  { ...PERSON, role: { type: 'positional', description: Role.options.join(', '), required: true } },
  async ({ client, args, output }) => {
    const { id: userId } = await findPerson(client, args.person)
    const changed = await client.call(changeMemberRole, { params: { userId }, body: { role: roleOf(args.role) } })
    output.result(changed, (one) => `${one.email} is ${one.role}`)
  },
)

export const memberRemove = command('remove', 'Remove a person from the account', PERSON, async (run) => {
  const { client, args, output } = run
  const { id: userId, email } = await findPerson(client, args.person)
  await client.call(removeMember, { params: { userId } })
  output.result({ removed: userId }, () => `${email} is removed`)
})

/** @throws {ProblemError} `invalid-request` for what is no role. */
export function roleOf(text: string): Role {
  const role = Role.safeParse(text)
  if (!role.success) throw problem('invalid-request', `role: one of ${Role.options.join(', ')}`)
  return role.data
}

async function findPerson(client: Client, emailOrId: string): Promise<Member> {
  const { items } = await client.call(listMembers, {})
  const found = items.find(({ id, email }) => id === emailOrId || email === emailOrId.toLowerCase())
  if (!found) throw problem('member-not-found', `Nobody in this account is ${emailOrId}`)
  return found
}
