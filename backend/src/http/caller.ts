import { problem, type Role, type UserOperation } from '@agentopia/api'

/** Who is calling, as found by authentication. The account is the tenant of everything the call may touch. */
export type Caller =
  | {
      readonly kind: 'user'
      readonly accountId: string
      readonly userId: string
      readonly role: Role
      /** For the activity record: the e-mail address, or `token <name>`. */
      readonly actor: string
      /** The browser session; absent for a token. */
      readonly sessionId?: string
    }
  | { readonly kind: 'agent'; readonly accountId: string; readonly agentId: string; readonly actor: string }

const RANK = { viewer: 0, operator: 1, admin: 2, owner: 3 } as const satisfies Record<Role, number>

/** May this caller use operations of that kind? `agent` operations are open to the agent itself and to operators. */
export function mayCall(auth: UserOperation['auth'], caller: Caller): boolean {
  if (auth === 'none') return true
  if (caller.kind === 'agent') return auth === 'agent'
  return RANK[caller.role] >= RANK[auth === 'agent' ? 'operator' : auth]
}

/** The lower of two roles. */
export const lowerRole = (one: Role, other: Role): Role => (RANK[one] < RANK[other] ? one : other)

/** Operations of people are closed to agents by their role; this tells the compiler. */
export function asUser(caller: Caller): Extract<Caller, { kind: 'user' }> {
  if (caller.kind === 'user') return caller
  throw problem('forbidden', 'This is for people, not for agents')
}

/** @throws {ProblemError} `forbidden` for a token: it is not more than its role, and decides nothing about how its person signs in. */
export function withBrowser(caller: Caller) {
  const { sessionId, ...user } = asUser(caller)
  if (sessionId === undefined) throw problem('forbidden', 'A token cannot do this: sign in with a browser')
  return { ...user, sessionId }
}
