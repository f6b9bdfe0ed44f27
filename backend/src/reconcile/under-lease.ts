import type { SQL } from 'drizzle-orm'
import type { Store } from '../store/connect.ts'
import { claim, heldBy, type Leased, release } from '../store/lease.ts'
import { again, type Outcome } from './reconciler.ts'

/** A step must end before its lease does; give loops of leased steps this deadline. */
export const LEASED_STEP_MS = 25_000
const HELD_ELSEWHERE_MS = 10_000

export interface LeaseOf {
  readonly store: Store
  readonly table: Leased
  readonly id: string
  /** Identifier of this replica's process. */
  readonly owner: string
}

/**
 * Takes a step on a row while this replica alone holds it. When another one does, the step is put off.
 * @param step Every write on the row carries its first argument as a condition: a write that comes too late meets no row. The second
 *   one is the lease's epoch: one more than a row had that was read before says that nobody else held it since.
 */
export async function underLease(
  { store, table, id, owner }: LeaseOf,
  step: (held: SQL, epoch: number) => Promise<Outcome>,
): Promise<Outcome> {
  const epoch = await store.system((tx) => claim(tx, table, id, owner))
  if (epoch === undefined) return again(HELD_ELSEWHERE_MS)
  try {
    return await step(heldBy(table, id, epoch), epoch)
  } finally {
    await store.system((tx) => release(tx, table, id, epoch))
  }
}
