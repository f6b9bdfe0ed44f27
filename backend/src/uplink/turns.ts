import { createBulkhead } from '../http/bulkhead.ts'

/** What toolboxes ask for. */
type Kind = 'enrolment' | 'renewal' | 'heartbeat' | 'tunnel'

/**
 * What toolboxes ask for is begun while they still listen for the answer, or not at all. Thousands come at once when the control
 * plane was away: were all of them taken, each would be answered after its caller had given up, who would come again with the same.
 */
export interface Turns {
  /** @param kind Of a request: none takes the room of another. @throws {RateLimited} Before `act` was begun. */
  take<Result>(kind: Kind, act: () => Promise<Result>): Promise<Result>
  /** Refuses before anything is read of a request: what is refused must cost next to nothing. @throws {RateLimited} When too many wait. */
  requireRoom(kind: Kind): void
}

/** So many transactions of a kind; the kinds together leave some connections of the database to people. */
const AT_ONCE = 3
/** Whoever enrols has time, and takes the most: no more wait than are taken while they listen, and life signs pass. */
const WAITING = { enrolment: 100, renewal: 1_000, heartbeat: 1_000, tunnel: 1_000 } as const
/** A DTMA listens for ten seconds. */
const LONGEST_MS = 4_000

export function createTurns(): Turns {
  const bulkheadOf = (kind: Kind) => createBulkhead({ atOnce: AT_ONCE, waiting: WAITING[kind], of: 'toolboxes' })
  const rooms = {
    enrolment: bulkheadOf('enrolment'),
    renewal: bulkheadOf('renewal'),
    heartbeat: bulkheadOf('heartbeat'),
    tunnel: bulkheadOf('tunnel'),
  }
  return {
    take: (kind, act) => rooms[kind].enter(kind, { longestMs: LONGEST_MS }, act),
    requireRoom: (kind) => rooms[kind].requireRoom(kind),
  }
}
