import { defineOperation, type Operation } from '@agentopia/dtma/contract'
import type * as z from 'zod/v4/core'
import type { ProblemCode } from './problems.ts'

/** Who may call a user-facing operation. `viewer` is the least of the account's roles; each includes those before it. */
export type Auth = 'none' | 'viewer' | 'operator' | 'admin' | 'agent'

export interface UserOperation extends Operation {
  readonly auth: Auth
  readonly problems: readonly ProblemCode[]
  /**
   * Only for a person who showed in this very browser, minutes ago, to be there; else `presence-needed`.
   * `true`: and so for no token. `of-sessions`: programs do it too, by a token that is asked for nothing more.
   */
  readonly presence?: true | 'of-sessions'
  /** Only bodies that fit this ask for `presence`, as they give something and others only take away; absent: all do. */
  readonly presenceFor?: z.$ZodType
  /**
   * A person's own, and so never offered to a model: it is about how the caller comes in (`way-in`), or it is the word of a person
   * who was asked (`consent`).
   */
  readonly personal?: 'way-in' | 'consent'
  /** Present instead of `reply`: the success is a file of one of these media types, sent as it is read. */
  readonly file?: readonly string[]
  /** Present instead of `body`: the request carries bytes (`application/octet-stream`), and so many at most. */
  readonly upload?: { readonly mostBytes: number }
}

export const defineUserOperation = <const Op extends UserOperation>(operation: Op): Op => defineOperation(operation)
