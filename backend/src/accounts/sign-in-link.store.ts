import { and, eq, gt, isNull, lt } from 'drizzle-orm'
import { digestOf, newSecret } from '../secret.ts'
import type { Tx } from '../store/connect.ts'
import { signInLinks } from '../store/schema/index.ts'

const VALID_MS = 15 * 60_000

/** Makes a one-time right to sign in as this user, good for 15 minutes. @returns the token; only its digest is stored. */
export async function issueSignInLink(tx: Tx, userId: string, now: Date): Promise<string> {
  await tx.delete(signInLinks).where(lt(signInLinks.expiresAt, now))
  const token = newSecret('link')
  await tx
    .insert(signInLinks)
    .values({ digest: digestOf(token), userId, expiresAt: new Date(now.getTime() + VALID_MS) })
  return token
}

/** Uses the token up: of any number of attempts one succeeds. @returns whose it was; `undefined` for a used or unknown one. */
export async function redeemSignInToken(tx: Tx, token: string, now: Date): Promise<string | undefined> {
  const [used] = await tx
    .update(signInLinks)
    .set({ usedAt: now })
    .where(and(eq(signInLinks.digest, digestOf(token)), isNull(signInLinks.usedAt), gt(signInLinks.expiresAt, now)))
    .returning({ userId: signInLinks.userId })
  return used?.userId
}

/** The address that people open. What follows `#` never leaves the browser, so no log has the token. */
export const signInUrl = (publicUrl: string, token: string): string => `${publicUrl}/sign-in#${token}`
