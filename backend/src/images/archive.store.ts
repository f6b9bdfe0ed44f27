import { type ImageArchive, problem } from '@agentopia/api'
import { and, asc, eq, lt, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { imageArchives } from '../store/schema/index.ts'
import type { SeenImage } from './archive.look.ts'

export type ArchiveRow = typeof imageArchives.$inferSelect

/** Of one account. */
const MOST_ARCHIVES = 50
const MOST_BYTES = 20 * 2 ** 30

export const listArchiveRows = (tx: Tx): Promise<ArchiveRow[]> =>
  tx.select().from(imageArchives).orderBy(asc(imageArchives.createdAt), asc(imageArchives.digest))

/** @param lock Nobody else changes it until the transaction ends. @throws {ProblemError} `image-not-found` */
export async function getArchiveRow(tx: Tx, digest: string, lock = false): Promise<ArchiveRow> {
  const query = tx.select().from(imageArchives).where(eq(imageArchives.digest, digest))
  const [row] = await (lock ? query.for('update') : query)
  if (!row) throw problem('image-not-found', `No archive of an image has the digest ${digest}`)
  return row
}

/** The row of this archive, a new one when there is none. @throws {ProblemError} `image-limit`, `invalid-image` */
export async function ensureArchiveRow(tx: Tx, accountId: string, digest: string, size: number): Promise<ArchiveRow> {
  await tx.insert(imageArchives).values({ accountId, digest, size }).onConflictDoNothing()
  const row = await getArchiveRow(tx, digest)
  if (row.size !== size) throw problem('invalid-image', `The archive of this digest has ${row.size} bytes`)
  const all = await listArchiveRows(tx)
  const bytes = all.reduce((sum, one) => sum + one.size, 0)
  if (all.length > MOST_ARCHIVES || bytes > MOST_BYTES)
    throw problem('image-limit', `An account holds ${MOST_ARCHIVES} images and ${MOST_BYTES / 2 ** 30} GiB at most`)
  return row
}

/** Of one that is locked: so much of it is here. */
export async function storeReceived(tx: Tx, digest: string, received: number): Promise<ArchiveRow> {
  const [row] = await tx
    .update(imageArchives)
    .set({ received, changedAt: sql`now()` })
    .where(eq(imageArchives.digest, digest))
    .returning()
  return row!
}

/** The very row that was read, and no other that came for the same archive after that had been removed; still not looked at. */
const asReceived = ({ digest, createdAt }: ArchiveRow) =>
  and(
    eq(imageArchives.digest, digest),
    eq(imageArchives.createdAt, createdAt),
    eq(imageArchives.state, 'receiving'),
    eq(imageArchives.received, imageArchives.size),
  )

/** It was looked at, and is an image. @returns `undefined` when it is not there any more, or somebody else said so before. */
export async function storeReady(
  tx: Tx,
  row: ArchiveRow,
  { image, architecture }: Partial<SeenImage>,
): Promise<ArchiveRow | undefined> {
  const [ready] = await tx
    .update(imageArchives)
    .set({ state: 'ready', image: image ?? null, architecture: architecture ?? null, changedAt: sql`now()` })
    .where(asReceived(row))
    .returning()
  return ready
}

export const deleteArchive = (tx: Tx, digest: string) =>
  tx.delete(imageArchives).where(eq(imageArchives.digest, digest))

/** It was looked at, and is no image. @returns Whether it was still there. */
export const deleteRefused = async (tx: Tx, row: ArchiveRow): Promise<boolean> =>
  (await tx.delete(imageArchives).where(asReceived(row)).returning({ digest: imageArchives.digest })).length > 0

/** Those of the account that nobody has gone on with for a day. */
export const deleteAbandoned = (tx: Tx): Promise<ArchiveRow[]> =>
  tx
    .delete(imageArchives)
    .where(and(eq(imageArchives.state, 'receiving'), lt(imageArchives.changedAt, sql`now() - interval '1 day'`)))
    .returning()

export const archiveViewOf = (row: ArchiveRow): ImageArchive => ({
  digest: row.digest,
  size: row.size,
  received: row.received,
  state: row.state,
  ...(row.image === null ? {} : { image: row.image }),
  ...(row.architecture === null ? {} : { architecture: row.architecture }),
  createdAt: row.createdAt.toISOString(),
})
