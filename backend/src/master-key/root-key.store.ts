import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { accounts, rootKeys } from '../store/schema/index.ts'
import { keyIdIn, keyIdOf, type SealedFor, type Sealer } from '../store/seal.ts'
import { StoreError } from '../store/store-error.ts'
import type { MasterKeys } from './master-key.file.ts'
import { findSealed } from './reseal.store.ts'

/** There is one, which belongs to no account. */
export const ROOT_KEY = { purpose: 'root-key', accountId: '', recordId: 'this' } as const satisfies SealedFor
const ONLY = ROOT_KEY.recordId

/**
 * The key that everything is derived from that others know of this installation: it stays when the master key is changed. Control
 * planes that start at once all get the same.
 * @throws {StoreError} When the database wants another master key.
 */
export async function openRootKey(tx: Tx, sealer: Sealer, keys: MasterKeys): Promise<Uint8Array> {
  const sealedKey = (await findRootKey(tx)) ?? (await makeRootKey(tx, sealer, keys))
  requireKey(keyIdIn(sealedKey), keys)
  try {
    return Buffer.from(sealer.open(sealedKey, ROOT_KEY), 'base64')
  } catch (cause) {
    throw new StoreError('The root key in the database was changed', 'Restore the database from a backup.', { cause })
  }
}

/** Sealed; `undefined` in a database that no control plane has used since there is one. */
export async function findRootKey(tx: Tx): Promise<string | undefined> {
  const [row] = await tx.select().from(rootKeys).where(eq(rootKeys.id, ONLY))
  return row?.sealedKey
}

/** As {@link findRootKey}; until the end of the transaction nobody else changes or holds it. */
export async function holdRootKey(tx: Tx): Promise<string | undefined> {
  const [row] = await tx.select().from(rootKeys).where(eq(rootKeys.id, ONLY)).for('update')
  return row?.sealedKey
}

/** For when nothing else is sealed by another key. @returns Whether it was until now. */
export async function resealRootKey(tx: Tx, sealer: Sealer): Promise<boolean> {
  const held = await holdRootKey(tx)
  if (held === undefined || keyIdIn(held) === sealer.keyId) return false
  const sealedKey = sealer.seal(sealer.open(held, ROOT_KEY), ROOT_KEY)
  await tx.update(rootKeys).set({ sealedKey }).where(eq(rootKeys.id, ONLY))
  return true
}

async function makeRootKey(tx: Tx, sealer: Sealer, keys: MasterKeys): Promise<string> {
  const key = Buffer.from(await firstRootKey(tx, keys)).toString('base64')
  await tx
    .insert(rootKeys)
    .values({ id: ONLY, sealedKey: sealer.seal(key, ROOT_KEY) })
    .onConflictDoNothing()
  return (await findRootKey(tx))! // of two at once, one stands
}

/** Before there were root keys the master key was one: what toolboxes, droplets and records of calls know was derived from it. */
async function firstRootKey(tx: Tx, keys: MasterKeys): Promise<Uint8Array> {
  const isNew = (await tx.select({ id: accounts.id }).from(accounts).limit(1)).length === 0
  if (isNew) return randomBytes(32)
  const sealed = await findSealed(tx)
  return sealed === undefined ? keys.current : requireKey(keyIdIn(sealed), keys)
}

function requireKey(id: string, { current, others }: MasterKeys): Uint8Array {
  const given = [current, ...others]
  const key = given.find((one) => keyIdOf(one) === id)
  if (key) return key
  throw new StoreError(
    `The database wants the master key ${id}, and is given ${given.map(keyIdOf).join(' and ')}`,
    'Give it as MASTER_KEY, or put its file back as master.key: stored secrets open with it alone.',
  )
}
