import { changeMemberRole, listMembers, type Member, problem, type Role, removeMember } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { asUser, lowerRole } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Store, Tx } from '../store/connect.ts'
import { deletePerson, findPerson, listPeople, lockOwners, setRole } from './people.store.ts'

export interface MemberRouteDeps {
  readonly store: Store
  /** Somebody may do less than before: nobody may be remembered. */
  readonly forgetEverybody: () => void
}

export function memberRoutes(mount: Mount, { store, forgetEverybody }: MemberRouteDeps): void {
  mount.reply(listMembers, async (_, { caller }) => ({
    items: await store.system((tx) => listPeople(tx, asUser(caller).accountId)),
  }))

  mount.reply(changeMemberRole, async ({ params, body }, { caller }) => {
    const { accountId, role, actor } = asUser(caller)
    const changed = await store.system(async (tx) => {
      const owners = await lockOwners(tx, accountId)
      const person = await getPerson(tx, accountId, params.userId)
      mayTouch(role, person)
      mayGive(role, body.role)
      if (person.role === body.role) return person
      if (person.role === 'owner' && owners === 1) throw lastOwner(person)
      await setRole(tx, accountId, person.id, body.role)
      const message = `Made ${person.email} ${body.role}, who was ${person.role}`
      await recordActivity(tx, { accountId, actor, action: 'member.role', subject: person.id, message })
      return { ...person, role: body.role }
    })
    forgetEverybody()
    return changed
  })

  mount.reply(removeMember, async ({ params }, { caller }) => {
    const { accountId, role, actor } = asUser(caller)
    await store.system(async (tx) => {
      const owners = await lockOwners(tx, accountId)
      const person = await getPerson(tx, accountId, params.userId)
      mayTouch(role, person)
      if (person.role === 'owner' && owners === 1) throw lastOwner(person)
      await deletePerson(tx, accountId, person.id)
      const message = `Removed ${person.email}, who was ${person.role}`
      await recordActivity(tx, { accountId, actor, action: 'member.removed', subject: person.id, message })
    })
    forgetEverybody()
    return undefined
  })
}

async function getPerson(tx: Tx, accountId: string, userId: string): Promise<Member> {
  const person = await findPerson(tx, accountId, userId)
  if (!person) throw problem('member-not-found', `Nobody in this account has the id ${userId}`)
  return person
}

const lastOwner = ({ email }: Member) => problem('last-owner', `${email} is the only owner`)

/** Nobody decides about who stands above. */
function mayTouch(own: Role, { email, role }: Member): void {
  if (lowerRole(own, role) !== role) throw problem('forbidden', `You are ${own}: ${email} is ${role}`)
}

/** Nobody gives more than he has. @throws {ProblemError} `forbidden`. */
export function mayGive(own: Role, given: Role): void {
  if (lowerRole(own, given) !== given) throw problem('forbidden', `You are ${own}: you cannot make anybody ${given}`)
}
