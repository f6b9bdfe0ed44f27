import { defineOperation, type Operation } from '@agentopia/dtma/contract'
import type { ProblemCode } from './problems.ts'

/** Who may call a user-facing operation. `viewer` is the least of the account's roles; each includes those before it. */
export type Auth = 'none' | 'viewer' | 'operator' | 'admin' | 'agent'

export interface UserOperation extends Operation {
  readonly auth: Auth
  readonly problems: readonly ProblemCode[]
}

export const defineUserOperation = <const Op extends UserOperation>(operation: Op): Op => defineOperation(operation)
