import { eq, sql } from 'drizzle-orm'
import { tellEveryAccount } from '../events/activity.store.ts'
import type { Tx } from '../store/connect.ts'
import { installation } from '../store/schema/index.ts'

const ONLY = 'this'

/**
 * Which database of which server this is, as the server says it: a restored one is another. Where the server runs in a directory
 * of ours, that counts too, because a copy of it says the same of itself.
 * @param directory Of that server, as its file system knows it.
 */
async function placeOf(tx: Tx, directory: string): Promise<string> {
  const { rows } = await tx.execute<{ place: string }>(
    sql`select system_identifier || '/' || oid as place from pg_control_system(), pg_database where datname = current_database()`,
  )
  return [rows[0]!.place, directory].filter((part) => part !== '').join('/')
}

/**
 * Since when this database is known to be a copy that nobody has looked at yet; `undefined` where it is the one that was always used.
 * A database that never said where it is is taken to be where it belongs.
 */
export async function noticeRestore(tx: Tx, directory: string): Promise<Date | undefined> {
  const place = await placeOf(tx, directory)
  await tx.insert(installation).values({ id: ONLY, place }).onConflictDoNothing()
  const [known] = await tx.select().from(installation).for('update')
  if (known!.place === place) return known!.recoveringSince ?? undefined
  const [noticed] = await tx.update(installation).set({ place, recoveringSince: sql`now()` }).returning()
  await tellEveryAccount(tx, {
    actor: 'control plane',
    action: 'recovery.begun',
    message:
      'The database was restored from a copy: nothing is done on toolboxes or at DigitalOcean until the recovery is ended',
  })
  return noticed!.recoveringSince!
}

/** @returns `undefined` when there is none. */
export async function recoveringSince(tx: Tx): Promise<Date | undefined> {
  const [row] = await tx.select().from(installation).where(eq(installation.id, ONLY))
  return row?.recoveringSince ?? undefined
}

/** From now on what this database says counts. @returns false when there was no recovery to end. */
export async function endRecovery(tx: Tx): Promise<boolean> {
  if ((await recoveringSince(tx)) === undefined) return false
  await tx.update(installation).set({ recoveringSince: null })
  await tellEveryAccount(tx, {
    actor: 'operator of the machine',
    action: 'recovery.ended',
    message: 'The recovery was ended: what the restored database says is carried out from now on',
  })
  return true
}
