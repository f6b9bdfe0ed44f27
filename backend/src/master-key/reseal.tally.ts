import type { SealedFor } from '../store/seal.ts'

/** What became of the texts that are not sealed under the present key. */
export interface Tally {
  readonly resealed: number
  /** Somebody else had their rows at that moment. */
  readonly missed: number
  /** They do not open under the key that they name, or name none. */
  readonly broken: number
  readonly firstBroken?: SealedFor | undefined
  /** How many are sealed under keys that are not given, by the id of the key. */
  readonly shut: ReadonlyMap<string, number>
}

export const NOTHING: Tally = { resealed: 0, missed: 0, broken: 0, shut: new Map() }

export const sumOf = (one: Tally, other: Tally): Tally => ({
  resealed: one.resealed + other.resealed,
  missed: one.missed + other.missed,
  broken: one.broken + other.broken,
  firstBroken: one.firstBroken ?? other.firstBroken,
  shut: countedUp([...one.shut, ...other.shut]),
})

/** How many there are of each. */
export function countedUp(counts: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>()
  for (const [name, count] of counts) all.set(name, (all.get(name) ?? 0) + count)
  return all
}

/** Why not everything is sealed under the present key after a look at it; `undefined`: it is. */
export function leftIn({ missed, broken, shut }: Tally): string | undefined {
  const left = [
    ...(broken > 0 ? [`${broken} sealed texts do not open`] : []),
    ...[...shut].map(([keyId, count]) => `${count} want the key ${keyId}`),
    ...(missed > 0 ? [`${missed} rows were in use`] : []),
  ]
  return left.length > 0 ? left.join('; ') : undefined
}

/** How many of these, from the first one on, come to `most` together at the most; one in any case. */
export function fitting(sizes: readonly number[], most: number): number {
  let sum = 0
  for (const [n, size] of sizes.entries()) {
    sum += size
    if (n > 0 && sum > most) return n
  }
  return sizes.length
}
