import { Role } from '@agentopia/api'

type WithNote<Of extends Role> = readonly (readonly [Of, string])[]

/** What each role may do, beyond the one before; a token is never an owner's. */
export const TOKEN_ROLES = [
  ['viewer', 'reads'],
  ['operator', 'also deploys and grants'],
  ['admin', 'also removes agents and people'],
] as const satisfies WithNote<Role>

export const ROLES = [...TOKEN_ROLES, ['owner', 'also decides about owners']] as const satisfies WithNote<Role>

export const isRole = (text: string): text is Role => Role.safeParse(text).success
