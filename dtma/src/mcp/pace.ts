import type { Readable } from 'node:stream'

/** How much of our time the output of one tool may take in the long run. */
const SHARE = 1 / 2
/** What it may take at once before it waits, in milliseconds: a tool that answers much now and then waits for nothing. */
const BURST_MS = 20
/** In milliseconds. That we ourselves were halted meanwhile says nothing about the tool. */
const LONGEST_PAUSE_MS = 1_000

/** Keeps what one tool prints from taking all of our time: all tools are read in one thread. */
export interface Pace {
  /**
   * Hands every chunk of the stream to `take`, which must not throw. The longer that takes, the longer the stream is not read; what is
   * printed meanwhile waits where it comes from. The streams of one tool share its time.
   */
  read<Chunk extends string | Buffer>(stream: Readable, take: (chunk: Chunk) => void): void
}

/** @param now Monotonic milliseconds. */
export function createPace(now: () => number = () => performance.now()): Pace {
  /** Milliseconds taken beyond the share, at the time `at`. */
  let debt = 0
  let at = now()

  return {
    read(stream, take) {
      stream.on('data', (chunk) => {
        const begun = now()
        take(chunk)
        const ended = now()
        debt = Math.max(0, debt - (begun - at) * SHARE) + (ended - begun) * (1 - SHARE)
        debt = Math.min(debt, BURST_MS / 2 + LONGEST_PAUSE_MS * SHARE)
        at = ended
        if (debt <= BURST_MS) return
        stream.pause()
        setTimeout(() => stream.resume(), (debt - BURST_MS / 2) / SHARE) // long beside the millisecond that a timer is off
      })
    },
  }
}
