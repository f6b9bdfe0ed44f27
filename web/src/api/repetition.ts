import type { Operation } from '@agentopia/api'
import { backoffMs } from './backoff.ts'
import { Unreachable } from './unreachable.ts'

/** What time and chance are to a repetition. */
export interface Pace {
  /** Milliseconds by the clock on the wall: it goes on while the machine sleeps. */
  now(): number
  pause(ms: number): Promise<void>
  /** Between 0 and 1. */
  random(): number
}

type Repeated = Pick<Operation, 'problems'>

/** With a key, a request that comes again is known as the same. */
export const isKeyed = ({ problems }: Repeated): boolean => problems.includes('idempotency-key-reused')

const MOST = 2

/** What was asked for so long ago is not what is wanted now: it may have been undone, or be done by then. */
const LONGEST_MS = 60_000

/**
 * Sends what somebody asked for again by itself when nothing came back, as when a laptop changes networks, and the server knows it
 * as the same. What has no key is left to the person, also where it only sets something: somebody else may have set it otherwise.
 * @throws whatever the last `send` threw.
 */
export async function withRepetition<Result>(op: Repeated, pace: Pace, send: () => Promise<Result>): Promise<Result> {
  const latest = pace.now() + LONGEST_MS
  for (let failures = 0; ; failures += 1) {
    try {
      return await send()
    } catch (error) {
      if (failures >= MOST || !isKeyed(op) || !(error instanceof Unreachable)) throw error
      await pace.pause(backoffMs(failures, pace.random()))
      if (pace.now() > latest) throw error
    }
  }
}
