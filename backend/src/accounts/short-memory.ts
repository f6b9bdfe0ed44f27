import type { Clock } from '../reconcile/clock.ts'

/** Remembers what was looked up, for so short a time that what was revoked stops working soon. */
export interface ShortMemory<Value> {
  /** What was remembered, or else what `find` finds; nothing found is not remembered. */
  recall(key: string, find: () => Promise<Value | undefined>): Promise<Value | undefined>
  /** Forgets everything: something was revoked. */
  clear(): void
}

export function createShortMemory<Value>(
  clock: Pick<Clock, 'steady'>,
  { ttlMs, most }: { readonly ttlMs: number; readonly most: number },
): ShortMemory<Value> {
  const known = new Map<string, { readonly value: Value; readonly since: number }>()
  let revocations = 0

  return {
    async recall(key, find) {
      const hit = known.get(key)
      if (hit && clock.steady() - hit.since < ttlMs) return hit.value
      known.delete(key)
      const asOf = { revocations, since: clock.steady() }
      const value = await find()
      // What was found before a revocation may be what was revoked.
      if (value === undefined || asOf.revocations !== revocations) return value
      known.set(key, { value, since: asOf.since })
      if (known.size > most) known.delete(known.keys().next().value!)
      return value
    },
    clear() {
      revocations += 1
      known.clear()
    },
  }
}
