import type * as z from 'zod/v4/core'

/**
 * One HTTP operation, described as data. The server mounts it, the client calls it, the documentation prints it.
 */
export interface Operation {
  /** Unique name; the OpenAPI `operationId`. */
  readonly id: string
  readonly summary: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path with `:name` parameters, e.g. `/tools/:name`. */
  readonly path: `/${string}`
  /** Who may call: nobody in particular, the holder of the process's key, or what the user-facing API adds. */
  readonly auth: string
  readonly params?: z.$ZodObject
  readonly query?: z.$ZodObject
  readonly body?: z.$ZodType
  /** The JSON body of a success; absent: no body (204). */
  readonly reply?: z.$ZodType
  /** Present instead of `reply`: the success is a `text/event-stream`, and this is the shape of each event's data. */
  readonly event?: z.$ZodType
  /** 202 means: recorded as desired state, a reconciler will carry it out. */
  readonly status: 200 | 201 | 202 | 204
  /** Every problem specific to this operation; the common ones need no mention. */
  readonly problems: readonly string[]
}

type Part = 'params' | 'query' | 'body'

/** What a caller passes: `{ params, query, body }`, each only when the operation has it. A query that may be empty may be left out. */
export type Input<Op extends Operation> = {
  [P in Exclude<Part, 'query'> as Op[P] extends z.$ZodType ? P : never]: z.input<Extract<Op[P], z.$ZodType>>
} & QueryInput<Op>

type QueryInput<Op extends Operation> = Op['query'] extends z.$ZodObject
  ? Record<never, never> extends z.input<Op['query']>
    ? { readonly query?: z.input<Op['query']> }
    : { readonly query: z.input<Op['query']> }
  : unknown

/** What a handler receives: the same, parsed, defaults filled in. */
export type Parsed<Op extends Operation> = {
  [P in Part as Op[P] extends z.$ZodType ? P : never]: z.output<Extract<Op[P], z.$ZodType>>
}

export type Reply<Op extends Operation> = Op['reply'] extends z.$ZodType ? z.output<Op['reply']> : undefined

export type StreamEvent<Op extends Operation> = Op['event'] extends z.$ZodType ? z.output<Op['event']> : never

/** Identity at run time; at compile time it keeps the literal types that {@link Input} needs. */
export const defineOperation = <const Op extends Operation>(operation: Op): Op => operation
