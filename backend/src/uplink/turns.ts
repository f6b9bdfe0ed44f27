import { createBulkhead } from '../http/bulkhead.ts'

/**
 * What toolboxes ask for is begun while they still listen for the answer, or not at all. Thousands come at once when the control
 * plane was away: were all of them taken, each would be answered after its caller had given up, who would come again with the same.
 */
export interface Turns {
  /** @param kind Of a request: none takes the room of another. @throws {RateLimited} Before `act` was begun. */
  take<Result>(kind: string, act: () => Promise<Result>): Promise<Result>
}

/** So many transactions of a kind; the kinds together leave some connections of the database to people. */
const AT_ONCE = 3
const WAITING = 1_000
/** A DTMA listens for ten seconds. */
const LONGEST_MS = 4_000

export function createTurns(): Turns {
  const { enter } = createBulkhead({ atOnce: AT_ONCE, waiting: WAITING, of: 'toolboxes' })
  return { take: (kind, act) => enter(kind, { longestMs: LONGEST_MS }, act) }
}
