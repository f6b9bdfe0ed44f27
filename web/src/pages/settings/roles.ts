import { Role } from '@agentopia/api'

/** What each role may do, beyond the one before. */
export const ROLES = [
  ['viewer', 'reads'],
  ['operator', 'also deploys and grants'],
  ['admin', 'also removes agents and people'],
  ['owner', 'also decides about owners'],
] as const satisfies readonly (readonly [Role, string])[]

export const isRole = (text: string): text is Role => Role.safeParse(text).success
