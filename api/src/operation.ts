import { defineOperation, type Operation } from '@agentopia/dtma/contract'
import type { ProblemCode } from './problems.ts'

/** Who may call a user-facing operation. `viewer` is the least of the account's roles; each includes those before it. */
export type Auth = 'none' | 'viewer' | 'operator' | 'admin' | 'agent'

export interface UserOperation extends Operation {
  readonly auth: Auth
  readonly problems: readonly ProblemCode[]
  /** Present instead of `reply`: the success is a file of one of these media types, sent as it is read. */
  readonly file?: readonly string[]
}

export const defineUserOperation = <const Op extends UserOperation>(operation: Op): Op => defineOperation(operation)
