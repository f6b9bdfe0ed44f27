/** Everything that decides about a connection. Times in milliseconds. */
export interface ConnectionFacts {
  readonly state: 'connected' | 'requires_reauth'
  readonly now: number
  /** When the access token ends; `undefined`: its server did not say. */
  readonly expiresAt: number | undefined
  /** When it is to be refreshed; `undefined`: there is nothing to refresh it with. */
  readonly refreshAt: number | undefined
  /** The ended access token is no longer with the secrets of the agent. */
  readonly withdrawn: boolean
}

export type ConnectionStep =
  /** Nothing, until something changes. */
  | { readonly do: 'nothing' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'refresh' }
  /** The access token has ended, and there is no other: a person must consent anew. */
  | { readonly do: 'withdraw' }

/** Looked at this often at least: what is due is read from the row, and a machine may have slept. */
const LONGEST_WAIT_MS = 60_000

/** Decides; touches nothing. */
export function nextStep({ state, now, expiresAt, refreshAt, withdrawn }: ConnectionFacts): ConnectionStep {
  if (state === 'connected' && refreshAt !== undefined)
    return refreshAt <= now ? { do: 'refresh' } : until(refreshAt - now)
  if (withdrawn || expiresAt === undefined) return { do: 'nothing' }
  return expiresAt <= now ? { do: 'withdraw' } : until(expiresAt - now)
}

const until = (ms: number): ConnectionStep => ({ do: 'wait', ms: Math.min(ms, LONGEST_WAIT_MS) })

const SHARE_LEFT = 0.2
const LEAST_LEFT_MS = 60_000
const MOST_LEFT_MS = 10 * 60_000

/**
 * A token is refreshed while a fifth of its life is left (a minute at least, ten at most), so that refusals and outages are noticed
 * while the old one is still good. A token that lives for less than two minutes is refreshed half-way.
 */
export function refreshTimeOf(now: number, lifeMs: number): number {
  const left = Math.min(Math.max(lifeMs * SHARE_LEFT, LEAST_LEFT_MS), MOST_LEFT_MS)
  return now + (lifeMs > 2 * LEAST_LEFT_MS ? lifeMs - left : lifeMs / 2)
}

/** What a server that says nothing of the life of its tokens gets asked again after. */
export const UNKNOWN_LIFE_MS = 3_600_000
