import type { Session } from '@agentopia/api'
import { and, desc, eq, lt, ne, sql } from 'drizzle-orm'
import { cleanText } from '../gateway/clean-text.ts'
import type { Tx } from '../store/connect.ts'
import { sessions } from '../store/schema/index.ts'

/** A browser that was not used for so long has to sign in again; however much it is used, it has to after two weeks. */
const IDLE_MS = 3 * 24 * 3_600_000
/** "Last used" is noted so often at most, so that reading does not write. */
export const NOTED_EVERY_MS = 5 * 60_000

const LONGEST_BROWSER = 200

export const isIdle = ({ updatedAt }: { readonly updatedAt: Date }, now: number): boolean =>
  now - updatedAt.getTime() >= IDLE_MS

export interface SessionStart {
  readonly browser: string | undefined
  /** The account that it is in first. */
  readonly accountId: string | undefined
  /** Did the person give a proof of being there to begin it? */
  readonly proven: boolean
  readonly now: Date
}

/** Writes down when a session began, how, and in which browser. */
export async function noteStart(
  tx: Tx,
  sessionId: string,
  { browser, accountId, proven, now }: SessionStart,
): Promise<void> {
  const userAgent = cleanText(browser ?? '')
    .slice(0, LONGEST_BROWSER)
    .trim()
  await tx
    .update(sessions)
    .set({
      updatedAt: now,
      ...(userAgent === '' ? {} : { userAgent }),
      ...(accountId === undefined ? {} : { activeOrganizationId: accountId }),
      ...(proven ? { provenAt: now } : {}),
    })
    .where(eq(sessions.id, sessionId))
}

/** Notes that a session was used; of a session that ended meanwhile there is nothing to note. */
export const noteSessionUse = (tx: Tx, sessionId: string, now: Date) =>
  tx.update(sessions).set({ updatedAt: now }).where(eq(sessions.id, sessionId))

/** @param currentId The session that asks. */
export async function listSessionsOf(
  tx: Tx,
  userId: string,
  currentId: string | undefined,
  now: Date,
): Promise<Session[]> {
  const rows = await tx
    .select()
    .from(sessions)
    .where(and(eq(sessions.userId, userId), sql`${sessions.expiresAt} > ${now.toISOString()}`))
    .orderBy(desc(sessions.updatedAt), desc(sessions.id))
  return rows
    .filter((row) => !isIdle(row, now.getTime()))
    .map((row) => ({
      id: row.id,
      current: row.id === currentId,
      ...(row.userAgent ? { browser: row.userAgent } : {}),
      createdAt: row.createdAt.toISOString(),
      lastUsedAt: row.updatedAt.toISOString(),
      expiresAt: row.expiresAt.toISOString(),
    }))
}

/** @returns False when the person has no such session. */
export async function deleteSession(tx: Tx, userId: string, sessionId: string): Promise<boolean> {
  const gone = await tx
    .delete(sessions)
    .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId)))
    .returning({ id: sessions.id })
  return gone.length > 0
}

/** @returns how many ended. */
export async function deleteOtherSessions(tx: Tx, userId: string, sessionId: string): Promise<number> {
  const gone = await tx
    .delete(sessions)
    .where(and(eq(sessions.userId, userId), ne(sessions.id, sessionId)))
    .returning({ id: sessions.id })
  return gone.length
}

/** Removes sessions that nobody used for too long. Nothing depends on it: they open nothing. */
export const forgetIdleSessions = (tx: Tx, now: number) =>
  tx.delete(sessions).where(lt(sessions.updatedAt, new Date(now - IDLE_MS)))
