import { and, eq, exists, gt, inArray, isNull, ne, or, type SQL, sql } from 'drizzle-orm'
import { digestOf, newSecret } from '../secret.ts'
import type { Tx } from '../store/connect.ts'
import { enrolmentTokens, toolboxes } from '../store/schema/index.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { renewedDigestOf, tokenDigestOf } from './two-part-token.ts'

/** How long a token may be used, in milliseconds. */
export const ENROLMENT_TTL_MS = 15 * 60_000

/** How long a DTMA_BEARER_TOKEN holds, in milliseconds, and when it is renewed: there is time for two more tries. */
export const BEARER_TTL_MS = 60 * 60_000
export const RENEW_IN_SECONDS = 20 * 60

/** Makes the one token with which this toolbox may be enrolled; earlier ones that nobody used are void. */
export async function issueEnrolmentToken(
  tx: Tx,
  { id: toolboxId, accountId }: Pick<ToolboxRow, 'id' | 'accountId'>,
  now: Date,
): Promise<string> {
  const token = newSecret('enrol')
  await voidUnusedTokens(tx, toolboxId)
  await tx
    .insert(enrolmentTokens)
    .values({ digest: digestOf(token), accountId, toolboxId, expiresAt: new Date(now.getTime() + ENROLMENT_TTL_MS) })
  return token
}

/** What was handed out and not used opens nothing any more. */
export const voidUnusedTokens = (tx: Tx, toolboxId: string) =>
  tx.delete(enrolmentTokens).where(and(eq(enrolmentTokens.toolboxId, toolboxId), isNull(enrolmentTokens.usedAt)))

/** A fresh right to enrol for the machine that was born with a token (its digest), and is shown `nonce` by its provider. */
export async function renewEnrolment(
  tx: Tx,
  { id: toolboxId, accountId }: Pick<ToolboxRow, 'id' | 'accountId'>,
  { bornWith, nonce, now }: { readonly bornWith: string; readonly nonce: string; readonly now: Date },
): Promise<void> {
  await voidUnusedTokens(tx, toolboxId)
  const expiresAt = new Date(now.getTime() + ENROLMENT_TTL_MS)
  await tx
    .insert(enrolmentTokens)
    .values({ digest: renewedDigestOf(bornWith, nonce), accountId, toolboxId, expiresAt, createdAt: now })
}

/** Nobody can replace the token of a machine that is still booting, so it is good for a little longer; never beyond an hour. */
export async function extendEnrolmentToken(tx: Tx, toolboxId: string, now: Date): Promise<void> {
  const expiresAt = sql`least(${enrolmentTokens.createdAt} + make_interval(mins => 60), ${new Date(now.getTime() + ENROLMENT_TTL_MS).toISOString()}::timestamptz)`
  await tx
    .update(enrolmentTokens)
    .set({ expiresAt })
    .where(and(eq(enrolmentTokens.toolboxId, toolboxId), isNull(enrolmentTokens.usedAt)))
}

/** Until when the unused token of this toolbox is good; `undefined` when there is none. */
export async function unusedTokenExpiry(tx: Tx, toolboxId: string): Promise<Date | undefined> {
  const [row] = await tx
    .select({ expiresAt: enrolmentTokens.expiresAt })
    .from(enrolmentTokens)
    .where(and(eq(enrolmentTokens.toolboxId, toolboxId), isNull(enrolmentTokens.usedAt)))
  return row?.expiresAt
}

/** Whose enrolment token this is that may still be used. */
export async function findUnusedToken(tx: Tx, token: string, now: Date): Promise<{ toolboxId: string } | undefined> {
  const { digest, toolboxId, usedAt, expiresAt } = enrolmentTokens
  const unused = and(eq(digest, tokenDigestOf(token)), isNull(usedAt), gt(expiresAt, now))
  const [row] = await tx.select({ toolboxId }).from(enrolmentTokens).where(unused)
  return row
}

export interface TokenUse {
  readonly token: string
  readonly toolboxId: string
  readonly publicKey: string
  readonly now: Date
}

/**
 * Uses a token up, or uses it again for the key that did, while that is the key of the toolbox: in time, or as long as nothing was
 * heard of what it gave. So a reply that was lost is repeated, however late; whoever was locked out by it would be so for good; and a
 * key that another has replaced does not come back. One conditional statement: of many at once, one key wins.
 * @returns The account; `undefined` for a token that is unknown, expired, used by another key, or another toolbox's.
 */
export async function consumeToken(
  tx: Tx,
  { token, toolboxId, publicKey, now }: TokenUse,
): Promise<string | undefined> {
  const inTime = gt(enrolmentTokens.expiresAt, now)
  const ofThisKey = and(eq(toolboxes.id, toolboxId), eq(toolboxes.publicKey, publicKey))
  const present = tx.select({ id: toolboxes.id }).from(toolboxes).where(ofThisKey)
  const unheard = tx
    .select({ id: toolboxes.id })
    .from(toolboxes)
    .where(and(ofThisKey, isNull(toolboxes.runId)))
  const byThisKey = eq(enrolmentTokens.usedByKey, publicKey)
  const [used] = await tx
    .update(enrolmentTokens)
    .set({ usedAt: now, usedByKey: publicKey })
    .where(
      and(
        eq(enrolmentTokens.digest, tokenDigestOf(token)),
        eq(enrolmentTokens.toolboxId, toolboxId),
        or(
          and(inTime, isNull(enrolmentTokens.usedAt)),
          and(inTime, byThisKey, exists(present)),
          and(byThisKey, exists(unheard)),
        ),
      ),
    )
    .returning({ accountId: enrolmentTokens.accountId })
  return used?.accountId
}

export interface Identity {
  readonly publicKey: string
  readonly bearerTokenDigest: string
  /** Absent: until the next enrolment. */
  readonly bearerExpiresAt?: Date | undefined
  readonly sealedApiKey: string
  readonly dtmaVersion: string
  readonly machine: { readonly hostname: string; readonly os: string; readonly arch: string }
}

/**
 * Gives a toolbox a new identity; whatever the previous one had is void from then on. One that is quarantined takes no key that
 * it had before: two machines hold that. @returns `undefined` for a toolbox that nobody wants, or such a key.
 */
export async function storeIdentity(tx: Tx, toolboxId: string, identity: Identity): Promise<ToolboxRow | undefined> {
  const { publicKey, bearerTokenDigest, bearerExpiresAt = null, sealedApiKey, dtmaVersion, machine } = identity
  const [row] = await tx
    .update(toolboxes)
    .set({
      publicKey,
      dtmaBearerToken: bearerTokenDigest,
      bearerExpiresAt,
      renewals: 0,
      renewal: null,
      backendToDtmaApiKey: sealedApiKey,
      dtmaVersion,
      machine,
      enrolEpoch: sql`${toolboxes.enrolEpoch} + 1`,
      runId: null,
      heartbeatSeq: 0,
      supersededRuns: [],
    })
    .where(
      and(
        eq(toolboxes.id, toolboxId),
        eq(toolboxes.desired, 'present'),
        isNull(toolboxes.deletedAt),
        or(ne(toolboxes.status, 'quarantined'), ne(toolboxes.publicKey, publicKey)),
      ),
    )
    .returning()
  return row
}

/** The end of a toolbox begins: its credentials and tokens open nothing any more, however long its machine is there. */
export async function voidIdentity(tx: Tx, toolboxId: string): Promise<void> {
  await tx.delete(enrolmentTokens).where(eq(enrolmentTokens.toolboxId, toolboxId))
  await tx
    .update(toolboxes)
    .set({ dtmaBearerToken: null, bearerExpiresAt: null, backendToDtmaApiKey: null })
    .where(eq(toolboxes.id, toolboxId))
}

/** Its disk is gone: what its old identity had opens nothing any more. @returns false when it has enrolled anew meanwhile. */
export async function forgetIdentity(tx: Tx, toolboxId: string, epoch: number): Promise<boolean> {
  const old = and(eq(toolboxes.id, toolboxId), eq(toolboxes.enrolEpoch, epoch))
  const none = { dtmaBearerToken: null, backendToDtmaApiKey: null, publicKey: null }
  return (await tx.update(toolboxes).set(none).where(old).returning({ id: toolboxes.id })).length === 1
}

/** Whose DTMA_BEARER_TOKEN this is. */
export async function findByBearerToken(tx: Tx, token: string, now: Date): Promise<ToolboxRow | undefined> {
  const [row] = await tx.select().from(toolboxes).where(holds(token, now))
  return row
}

/** The same, for a transaction that will change the row: another one with the same token waits for it. */
export async function lockByBearerToken(tx: Tx, token: string, now: Date): Promise<ToolboxRow | undefined> {
  const [row] = await tx.select().from(toolboxes).where(holds(token, now)).for('update')
  return row
}

/** Which of these digests are those of a DTMA_BEARER_TOKEN. */
export async function heldOf(tx: Tx, digests: readonly string[], now: Date): Promise<ReadonlySet<string | null>> {
  const { dtmaBearerToken: digest } = toolboxes
  const rows = await tx
    .select({ digest })
    .from(toolboxes)
    .where(and(inArray(digest, digests), bearerHolds(now)))
  return new Set(rows.map((row) => row.digest))
}

/** Condition: the bearer token of a toolbox opens something, whichever it is. */
export const bearerHolds = (now: Date): SQL =>
  and(isNull(toolboxes.deletedAt), or(isNull(toolboxes.bearerExpiresAt), gt(toolboxes.bearerExpiresAt, now)))!

const holds = (token: string, now: Date) => and(eq(toolboxes.dtmaBearerToken, digestOf(token)), bearerHolds(now))
