/** How a server answers pings. Reported states change slowly in both directions, so that one late answer is no news. */
export interface Health {
  readonly state: 'healthy' | 'unhealthy'
  /** Pings in a row that were not answered, or that were. */
  readonly misses: number
  readonly answers: number
}

export const HEALTHY: Health = { state: 'healthy', misses: 0, answers: 0 }

const CHECK_EVERY_MS = 30_000
/** As long as it is not clear how it is. */
const DOUBT_EVERY_MS = 5_000
const UNHEALTHY_AFTER = 3
const HEALTHY_AFTER = 2
/** It has had its time to come back by itself. */
const RESTART_AFTER = 6

export interface Verdict {
  readonly health: Health
  /** Until the next ping. */
  readonly nextMs: number
  readonly restart: boolean
}

export function afterPing(before: Health, answered: boolean): Verdict {
  const misses = answered ? 0 : before.misses + 1
  const answers = answered ? before.answers + 1 : 0
  const isWell = before.state === 'healthy' ? misses < UNHEALTHY_AFTER : answers >= HEALTHY_AFTER
  const health: Health = { state: isWell ? 'healthy' : 'unhealthy', misses, answers }
  const nextMs = isWell && misses === 0 ? CHECK_EVERY_MS : DOUBT_EVERY_MS
  return { health, nextMs, restart: misses >= RESTART_AFTER }
}

/** Of a server that has just greeted us. */
export const firstCheckMs = CHECK_EVERY_MS
