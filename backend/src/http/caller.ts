import type { Role, UserOperation } from '@agentopia/api'

/** Who is calling, as found by authentication. The account is the tenant of everything the call may touch. */
export type Caller =
  | {
      readonly kind: 'user'
      readonly accountId: string
      readonly userId: string
      readonly role: Role
      /** For the activity record: the e-mail address, or `token <name>`. */
      readonly actor: string
    }
  | { readonly kind: 'agent'; readonly accountId: string; readonly agentId: string; readonly actor: string }

const RANK = { viewer: 0, operator: 1, admin: 2, owner: 3 } as const satisfies Record<Role, number>

/** May this caller use operations of that kind? `agent` operations are open to the agent itself and to operators. */
export function mayCall(auth: UserOperation['auth'], caller: Caller): boolean {
  if (auth === 'none') return true
  if (caller.kind === 'agent') return auth === 'agent'
  return RANK[caller.role] >= RANK[auth === 'agent' ? 'operator' : auth]
}
