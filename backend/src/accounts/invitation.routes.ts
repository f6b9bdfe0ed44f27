import {
  acceptInvitation,
  createInvitation,
  listInvitations,
  problem,
  readInvitation,
  revokeInvitation,
} from '@agentopia/api'
import type * as z from 'zod'
import { recordActivity } from '../events/activity.store.ts'
import { asUser } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { isUniqueViolation } from '../store/database-error.ts'
import { counted, createAttemptLimit } from './attempt-limit.ts'
import type { Auth } from './auth.ts'
import {
  deleteInvitation,
  findInvitation,
  insertInvitation,
  invitationUrl,
  listOpenInvitations,
  type OpenInvitation,
  useInvitation,
} from './invitation.store.ts'
import { mayGive } from './member.routes.ts'
import type { PasswordCheck } from './password-check.ts'
import { insertMember, insertPerson, listPeople } from './people.store.ts'
import type { SignedIn } from './signed-in.ts'

export interface InvitationRouteDeps {
  readonly store: Store
  readonly auth: Auth
  readonly clock: Clock
  readonly checkPassword: PasswordCheck
  readonly signedIn: SignedIn
  readonly publicUrl: string
}

/** From one address, whatever it tries: a link cannot be guessed, a password behind one might. */
const ATTEMPTS_PER_MINUTE = 20

export function invitationRoutes(
  mount: Mount,
  { store, auth, clock, checkPassword, signedIn, publicUrl }: InvitationRouteDeps,
): void {
  const attempts = createAttemptLimit({
    perMinute: ATTEMPTS_PER_MINUTE,
    clock,
    what: 'invitations opened from this address',
  })
  const now = () => new Date(clock.now())

  mount.reply(listInvitations, async (_, { caller }) => ({
    items: await store.system((tx) => listOpenInvitations(tx, asUser(caller).accountId, now())),
  }))

  mount.reply(createInvitation, ({ body }, { caller }) => {
    const { accountId, userId, role, actor } = asUser(caller)
    const email = body.email.toLowerCase()
    mayGive(role, body.role)
    return store.system(async (tx) => {
      if ((await listPeople(tx, accountId)).some((person) => person.email === email))
        throw problem('already-member', `${email} is in the account`)
      const { id, token } = await insertInvitation(tx, { accountId, email, role: body.role, inviterId: userId }, now())
      const message = `Invited ${email} as ${body.role}`
      await recordActivity(tx, { accountId, actor, action: 'member.invited', subject: id, message })
      const invitation = (await listOpenInvitations(tx, accountId, now())).find((one) => one.id === id)
      return { invitation: invitation!, link: invitationUrl(publicUrl, token) }
    })
  })

  mount.reply(revokeInvitation, async ({ params }, { caller }) => {
    const { accountId, actor } = asUser(caller)
    await store.system(async (tx) => {
      const email = await deleteInvitation(tx, accountId, params.invitationId)
      if (email === undefined) throw problem('invitation-not-found', `No invitation has the id ${params.invitationId}`)
      const message = `Took back the invitation of ${email}`
      await recordActivity(tx, { accountId, actor, action: 'member.uninvited', subject: params.invitationId, message })
    })
    return undefined
  })

  mount.reply(readInvitation, async ({ body }, { browser }) => {
    const { email, role, accountName } = await counted([attempts.take(browser.address)], () =>
      store.system((tx) => getInvitation(tx, body.token)),
    )
    return { email, role, accountName } // not whether the address signs in here: that is its owner's business
  })

  mount.reply(acceptInvitation, async ({ body }, { browser }) => {
    const { userId, accountId } = await counted([attempts.take(browser.address)], () => join(body, browser.address))
    await signedIn.start(userId, browser, { proven: true, accountId })
    return store.system(async (tx) => {
      const me = await signedIn.meIn(tx, userId, accountId)
      if (!me) throw problem('sign-in-refused', 'This person is not in the account any more')
      return me
    })
  })

  /** @throws {ProblemError} `invitation-used`; `sign-in-refused` when the address signs in here with another password. */
  async function join(
    body: z.infer<typeof acceptInvitation.body>,
    address: string,
  ): Promise<{ readonly userId: string; readonly accountId: string }> {
    const { accountId, email, userId: known } = await store.system((tx) => getInvitation(tx, body.token))
    const refusal = `${email} signs in here already, with another password`
    // An address proves nothing: whoever signs in with it already has to show that it is he. Whoever made the link has the link.
    const person =
      known === undefined
        ? { hash: await (await auth.$context).password.hash(body.password) }
        : { userId: await checkPassword({ email, password: body.password, address, refusal }) }

    const userId = await store
      .system(async (tx) => {
        const { id, role } = await getInvitation(tx, body.token)
        const joined =
          'userId' in person ? person.userId : await insertPerson(tx, { email, name: body.name, ...person })
        await insertMember(tx, accountId, joined, role)
        await useInvitation(tx, id)
        const message = `Joined as ${role}`
        await recordActivity(tx, { accountId, actor: email, action: 'member.joined', subject: joined, message })
        return joined
      })
      .catch((error: unknown) => {
        throw isUniqueViolation(error)
          ? problem('invitation-used', 'The invitation was used at the same moment')
          : error
      })
    return { userId, accountId }
  }

  async function getInvitation(tx: Tx, token: string): Promise<OpenInvitation> {
    const found = await findInvitation(tx, token, now())
    if (!found) throw problem('invitation-used', 'The link was used before, is older than a week, or was taken back')
    return found
  }
}
