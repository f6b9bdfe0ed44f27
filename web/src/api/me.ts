import { getMe, type Me, type Role } from '@agentopia/api'
import { useOperation } from './use-operation.ts'

/** Who is signed in. Pages are inside the shell, which waits for it. */
export const useMe = (): Me | undefined => useOperation(getMe, {}).data

const RANK = { viewer: 0, operator: 1, admin: 2, owner: 3 } as const satisfies Record<Role, number>

export const includesRole = (role: Role, needed: Role): boolean => RANK[role] >= RANK[needed]

/** Whether who is signed in may do what needs a role. The server decides anyhow; this spares a refusal. */
export function useMay(needed: Role): boolean {
  const me = useMe()
  return me !== undefined && includesRole(me.role, needed)
}
