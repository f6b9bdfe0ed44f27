import { and, inArray, isNotNull, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Tx } from '../store/connect.ts'
import { QUIET_SETTING } from '../store/notifications.ts'
import {
  BEGINNING_LENGTH,
  beginningUnder,
  HEAD_LENGTH,
  keyIdIn,
  namesKey,
  type SealedFor,
  type Sealer,
} from '../store/seal.ts'
import { countedUp, fitting, NOTHING, sumOf, type Tally } from './reseal.tally.ts'
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.ts'

/** The tally of one look at a part of a column. */
interface Look extends Tally {
  /** Key of the last row that was looked at; absent: it was the end of the column. */
  readonly last?: readonly string[]
}

/** So many rows are looked at in one transaction; for a few milliseconds those that are changed are nobody else's. */
const AT_ONCE = 200
/** Of these, only so many are sealed anew as come to so many bytes: they are written again as they are, on slow disks in time, too. */
const MOST_BYTES = 8 << 20

/**
 * Seals under the present key what is sealed under one of `others`, in the next rows of a column. It waits for nobody, so that it is in
 * nobody's way: a row that somebody else changes is left to him. Of a text only the head is read and sent.
 * @param others Ids of keys. @param after Key of the last row before these.
 */
export async function resealSome(
  tx: Tx,
  { table, column, key, reads, belongsTo }: SealedColumn,
  sealer: Sealer,
  others: readonly string[],
  after?: readonly string[],
): Promise<Look> {
  const beginning = sql<string>`left(${column}, ${BEGINNING_LENGTH})`
  const wanted = others.map(beginningUnder)
  const rowKey = sql<string[]>`array[${list(key)}]`
  const names = sql.raw(key.map((_, n) => `key_${n}`).join(', '))
  const seen = await tx
    .select({ rowKey, row: reads, beginning, bytes: sql<number>`octet_length(${column})` })
    .from(table)
    .where(and(isNotNull(column), after && sql`(${list(key)}) > (${list(after)})`))
    .orderBy(...key)
    .limit(AT_ONCE)
  const sizes = seen.map((row) => (wanted.includes(row.beginning) ? row.bytes : 0))
  const part = seen.slice(0, fitting(sizes, MOST_BYTES))
  const last = part.length < seen.length || seen.length === AT_ONCE ? { last: part.at(-1)!.rowKey } : {}
  const known = [...wanted, beginningUnder(sealer.keyId)]
  const strange = strangeIn(
    part.filter((row) => !known.includes(row.beginning)),
    belongsTo,
  )
  const found = part.filter((row) => wanted.includes(row.beginning)).map((row) => sql`(${list(row.rowKey)})`)
  if (found.length === 0) return { ...strange, ...last }

  const held = await tx
    .select({ rowKey, row: reads, head: sql<string>`left(${column}, ${HEAD_LENGTH})` })
    .from(table)
    .where(and(sql`(${list(key)}) in (${sql.join(found, sql`, `)})`, inArray(beginning, wanted)))
    .for('no key update', { skipLocked: true })
  // Nobody waits to hear of it: what is stored is the same.
  await tx.execute(sql`select set_config(${QUIET_SETTING}, 'on', true)`)
  const resealed: SQL[] = []
  const broken: SealedFor[] = []
  for (const { rowKey: at, row, head } of held)
    try {
      resealed.push(sql`(${list([sealer.resealHead(head, belongsTo(row)), ...at])})`)
    } catch {
      broken.push(belongsTo(row)) // somebody changed it who may not
    }
  if (resealed.length > 0)
    await tx.execute(sql`
      update ${table} set ${sql.identifier(column.name)} = resealed.head || substr(${column}, ${HEAD_LENGTH + 1})
      from (values ${sql.join(resealed, sql`, `)}) as resealed (head, ${names})
      where (${list(key)}) = (${names})`)
  const tally = {
    ...NOTHING,
    resealed: resealed.length,
    missed: found.length - held.length,
    broken: broken.length,
    firstBroken: broken[0],
  }
  return { ...sumOf(strange, tally), ...last }
}

/** Of texts that are sealed under none of the keys that are given. */
function strangeIn(
  rows: readonly { readonly beginning: string; readonly row: object }[],
  belongsTo: SealedColumn['belongsTo'],
): Tally {
  const shut = rows.filter(({ beginning }) => namesKey(beginning))
  const broken = rows.filter(({ beginning }) => !namesKey(beginning)) // somebody put them there who may not
  return {
    ...NOTHING,
    broken: broken.length,
    firstBroken: broken[0] && belongsTo(broken[0].row),
    shut: countedUp(shut.map(({ beginning }) => [keyIdIn(beginning), 1])),
  }
}

/** Any text that the master key seals, or its beginning. */
export async function findSealed(tx: Tx): Promise<string | undefined> {
  for (const { table, column } of SEALED_COLUMNS) {
    const sealed = sql<string>`left(${column}, ${BEGINNING_LENGTH})`
    const [row] = await tx.select({ sealed }).from(table).where(isNotNull(column)).limit(1)
    if (row) return row.sealed
  }
  return undefined
}

const list = (parts: readonly (PgColumn | string)[]): SQL =>
  sql.join(
    parts.map((part) => sql`${part}`),
    sql`, `,
  )
