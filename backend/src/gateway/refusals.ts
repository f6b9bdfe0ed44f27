import { DEFAULT_CALLS_PER_MINUTE } from '@agentopia/api'
import { RateLimited } from '../http/rate-limited.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Toolbelt } from './authorise.ts'
import { createMinuteCounts, MINUTE_MS, secondsUntil } from './minute-counts.ts'

/**
 * Refused calls cost an agent nothing, and each is on record: in one minute an agent gets as many of them there as it may make
 * calls, at least as many as is usual, and one more that says so. The next are refused without a record, for coming too often, whatever they ask.
 */
export interface Refusals {
  /** Counts nothing. @throws {RateLimited} A call of this agent that is refused now would not go on record. */
  check(agent: Toolbelt['agent']): void
  /**
   * Counts one. @returns `undefined`: it goes on record as it is; an error: it goes on record as that, the last of this minute.
   * @throws {RateLimited} It does not go on record.
   */
  count(agent: Toolbelt['agent']): RateLimited | undefined
}

/**
 * Counted in the memory of this process.
 * @param usual In one minute, for an agent without a higher number of its own; `null`: any number.
 */
export function createRefusals(clock: Pick<Clock, 'now'>, usual: number | null = DEFAULT_CALLS_PER_MINUTE): Refusals {
  const counts = createMinuteCounts()
  const mostOf = ({ limits }: Toolbelt['agent']) => Math.max(limits.perMinute ?? 0, usual ?? Number.POSITIVE_INFINITY)
  const tooMany = (most: number) =>
    new RateLimited(
      `More than ${most} calls of this agent were refused in this minute; further ones are not looked at`,
      secondsUntil(MINUTE_MS, clock.now()),
    )

  return {
    check(agent) {
      const most = mostOf(agent)
      if (counts.of(agent.id, clock.now()) > most) throw tooMany(most)
    },
    count(agent) {
      const most = mostOf(agent)
      if (!counts.take(agent.id, most + 1, clock.now())) throw tooMany(most)
      return counts.of(agent.id, clock.now()) > most ? tooMany(most) : undefined
    },
  }
}
