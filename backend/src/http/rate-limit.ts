/** How often each key may do something. */
export interface RateLimit {
  /** Counts one use. False: too many; not counted. */
  admit(key: string): boolean
}

export interface RateLimitOptions {
  /** Milliseconds that only grow. */
  readonly steady: () => number
  /** So many at once. */
  readonly burst: number
  readonly perSecond: number
  /** Keys remembered; the one that was quiet longest is forgotten first. */
  readonly keys?: number
}

/** A bucket of tokens for each key: full at first, refilled steadily. */
export function createRateLimit({ steady, burst, perSecond, keys = 20_000 }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { readonly tokens: number; readonly at: number }>()
  return {
    admit(key) {
      const at = steady()
      const before = buckets.get(key) ?? { tokens: burst, at }
      const tokens = Math.min(burst, before.tokens + ((at - before.at) / 1_000) * perSecond)
      const admitted = tokens >= 1
      buckets.delete(key) // to the end of the order: it was used last
      buckets.set(key, { tokens: admitted ? tokens - 1 : tokens, at })
      if (buckets.size > keys) buckets.delete(buckets.keys().next().value!)
      return admitted
    },
  }
}
