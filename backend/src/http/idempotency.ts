import { createHash } from 'node:crypto'
import { problem } from '@agentopia/api'
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { idempotencyKeys } from '../store/schema/index.ts'

/** A request that may arrive twice. */
export interface RepeatableRequest {
  readonly accountId: string
  /** `Idempotency-Key` of the request; absent: the request is carried out each time. */
  readonly key: string | undefined
  /** Id of the operation. */
  readonly operation: string
  /** The parsed input: JSON. */
  readonly request: unknown
}

const LONGEST_KEY = 255

/**
 * The key of a request, whichever way it came.
 * @throws {ProblemError} `invalid-request`: a key that is cut may be equal to another, and what is no text cannot be stored.
 */
export function checkedKey(key: string | undefined): string | undefined {
  if (key === '' || (key !== undefined && key.length > LONGEST_KEY))
    throw problem('invalid-request', `Idempotency-Key: must be 1 to ${LONGEST_KEY} characters long`)
  if (key !== undefined && /[\p{Cc}\p{Cs}]/u.test(key))
    throw problem('invalid-request', 'Idempotency-Key: must hold no control characters')
  return key
}

/** How long an answer is remembered. */
const REMEMBERED = sql`interval '24 hours'`

/**
 * Carries out `act` once per key, within the caller's transaction: the deed and the memory of it stand or fall together.
 * A repetition waits for the first to end and gets its reply. Not for replies with secrets: they would be stored.
 * @throws {ProblemError} `idempotency-key-reused` when the key came with another request.
 */
export async function once<Reply extends object>(
  tx: Tx,
  { accountId, key, operation, request }: RepeatableRequest,
  act: () => Promise<Reply>,
): Promise<Reply> {
  if (key === undefined) return act()
  const row = and(eq(idempotencyKeys.accountId, accountId), eq(idempotencyKeys.key, key))
  const requestDigest = digestOf(request)

  await tx.delete(idempotencyKeys).where(and(row, lt(idempotencyKeys.createdAt, sql`now() - ${REMEMBERED}`)))
  // The first of two at once holds the key until its transaction ends; the second waits here.
  const claimed = await tx
    .insert(idempotencyKeys)
    .values({ accountId, key, operation, requestDigest, reply: {} })
    .onConflictDoNothing()
    .returning({ key: idempotencyKeys.key })
  if (claimed.length === 1) {
    const reply = await act()
    await tx.update(idempotencyKeys).set({ reply }).where(row)
    return reply
  }

  const [known] = await tx.select().from(idempotencyKeys).where(row)
  if (!known || known.operation !== operation || known.requestDigest !== requestDigest)
    throw problem('idempotency-key-reused', 'This Idempotency-Key came before with another request')
  return known.reply as Reply
}

/** Forgets what is older than a day. @returns how many answers were forgotten. */
export async function forgetOldKeys(tx: Tx): Promise<number> {
  const gone = await tx
    .delete(idempotencyKeys)
    .where(lt(idempotencyKeys.createdAt, sql`now() - ${REMEMBERED}`))
    .returning({ key: idempotencyKeys.key })
  return gone.length
}

/** SHA-256 of a request, whatever the order of its members; hex. */
export const digestOf = (request: unknown): string => createHash('sha256').update(canonical(request)).digest('hex')

/** JSON with the keys of every object in order, so that equal requests read the same. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
