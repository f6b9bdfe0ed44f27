import { defineOperation, type Operation } from '@agentopia/dtma/contract'
import type { ProblemCode } from './problems.ts'

/** Who may call a user-facing operation. `viewer` is the least of the account's roles; each includes those before it. */
export type Auth = 'none' | 'viewer' | 'operator' | 'admin' | 'agent'

export interface UserOperation extends Operation {
  readonly auth: Auth
  readonly problems: readonly ProblemCode[]
  /** Only for a person who showed in this very browser, minutes ago, to be there; else `presence-needed`. No token can do it. */
  readonly presence?: true
  /** Present instead of `reply`: the success is a file of one of these media types, sent as it is read. */
  readonly file?: readonly string[]
  /** Present instead of `body`: the request carries bytes (`application/octet-stream`), and so many at most. */
  readonly upload?: { readonly mostBytes: number }
}

export const defineUserOperation = <const Op extends UserOperation>(operation: Op): Op => defineOperation(operation)
