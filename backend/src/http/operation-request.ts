import { type Parsed, ProblemError, problem, type UserOperation } from '@agentopia/api'
import { type $ZodType, safeParse } from 'zod/v4/core'
import { type Caller, mayCall } from './caller.ts'
import { checkedInput } from './checked-input.ts'
import { checkedKey } from './idempotency.ts'
import { storable } from './json-body.ts'

/** The browser behind a request: for the operations that start and end sessions, and for nothing else. */
export interface BrowserSession {
  /** The cookies that came, and no other header. */
  readonly headers: Headers
  /** Address of the client, for limits; of the nearest proxy that is not trusted. */
  readonly address: string
  /** As the browser calls itself. */
  readonly name: string | undefined
  /** Whole `Set-Cookie` lines for the answer. */
  setCookies(lines: readonly string[]): void
}

/** A request for an operation, whichever way it came; nothing in it has been checked. */
export interface OperationRequest {
  /** @returns `undefined` for nobody. @throws {ProblemError} for a credential that is wrong. */
  readonly authenticate: () => Promise<Caller | undefined>
  /** Texts, as they stand in an address. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** Not read for who may not call, nor where the operation has none. @throws {ProblemError} for what is no JSON. */
  readonly readBody: () => Promise<unknown>
  readonly idempotencyKey: string | undefined
  /** Position to resume a stream from. */
  readonly lastEventId: string | undefined
  readonly browser: BrowserSession
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
}

/** What a handler knows of its request beyond the input. It never sees other headers. */
export interface RequestContext<Who = Caller> {
  readonly caller: Who
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** `Idempotency-Key` of a request for an operation that takes one, 1 to 255 characters. */
  readonly idempotencyKey: string | undefined
  /** Asks again, later: a token may have been revoked, a person removed. No answer is no revocation. */
  readonly isLetIn: () => Promise<boolean>
  /** Position to resume a stream from: the `Last-Event-ID` header. */
  readonly lastEventId: string | undefined
  readonly browser: BrowserSession
}

/** For operations that need it. @throws {ProblemError} when the person did not show lately, in this browser, to be there. */
export type RequirePresence = (caller: Caller, of: NonNullable<UserOperation['presence']>) => Promise<void>

/**
 * The checked input of a request, and who sends it. Who has to show to be there is told before anything else of it is looked at.
 * @throws {ProblemError}
 */
export async function checked<Op extends UserOperation>(
  op: Op,
  request: OperationRequest,
  requirePresence: RequirePresence,
): Promise<{ readonly input: Parsed<Op>; readonly context: RequestContext<Caller | undefined> }> {
  const caller = await admit(op, request)
  if (op.presence && caller && !op.presenceFor) await requirePresence(caller, op.presence)
  const input = await inputOf(op, request)
  if (op.presence && caller && op.presenceFor && fits(op.presenceFor, input)) await requirePresence(caller, op.presence)
  const { signal, lastEventId, browser } = request
  const context = {
    caller,
    signal,
    idempotencyKey: op.problems.includes('idempotency-key-reused') ? checkedKey(request.idempotencyKey) : undefined,
    isLetIn: () =>
      admit(op, request).then(
        () => true,
        (error: unknown) => !isRefusal(error),
      ),
    lastEventId,
    browser,
  }
  return { input, context }
}

/** @returns Who is calling; `undefined` where nobody needs to be known. @throws {ProblemError} for who may not. */
export async function admit(
  op: UserOperation,
  { authenticate }: Pick<OperationRequest, 'authenticate'>,
): Promise<Caller | undefined> {
  const caller = await authenticate()
  if (op.auth === 'none') return caller
  if (!caller) throw problem('unauthenticated', 'This request carries neither a session nor a token')
  if (!mayCall(op.auth, caller)) throw problem('forbidden', `${op.id} needs the role ${op.auth}`)
  return caller
}

async function inputOf<Op extends UserOperation>(op: Op, request: OperationRequest): Promise<Parsed<Op>> {
  const body = op.body ? storable('body', await request.readBody()) : undefined
  return checkedInput(op, {
    params: storable('params', request.params),
    query: storable('query', request.query),
    body,
  })
}

const fits = (schema: $ZodType, input: { readonly body?: unknown }): boolean => safeParse(schema, input.body).success

const isRefusal = (error: unknown): boolean =>
  error instanceof ProblemError && (error.code === 'unauthenticated' || error.code === 'forbidden')
