import type { DtmaEvent } from '../contract/event.ts'

/** What happened in this run, the last of it kept, for whoever follows. */
export interface Journal {
  record(event: Omit<DtmaEvent, 'at'>): void
  /**
   * Everything after `lastId`, and what happens from then on, until `signal` aborts. An id of another run, or one that is no
   * longer kept, begins with the oldest that is. A slow reader skips what was dropped meanwhile, and nobody waits for it.
   * @param lastId Absent: only what happens from now on.
   */
  follow(
    lastId: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly id: string; readonly data: DtmaEvent }>
}

const KEPT = 1_000

/** @param run Distinguishes the ids of this run from those of others. */
export function createJournal(run: string, date: () => Date): Journal {
  const events: DtmaEvent[] = []
  let first = 0
  let news = Promise.withResolvers<void>()

  function positionOf(id: string): number {
    const [of, number] = id.split('.')
    const position = Number(number)
    return of === run && Number.isSafeInteger(position) && position < first + events.length ? position + 1 : first
  }

  return {
    record(event) {
      events.push({ at: date().toISOString(), ...event })
      if (events.length > KEPT) {
        events.shift()
        first += 1
      }
      news.resolve()
      news = Promise.withResolvers()
    },
    async *follow(lastId, signal) {
      let at = lastId === undefined ? first + events.length : positionOf(lastId)
      const aborted = Promise.withResolvers<void>()
      const abort = () => aborted.resolve()
      signal.addEventListener('abort', abort, { once: true })
      try {
        while (!signal.aborted) {
          at = Math.max(at, first)
          const event = events[at - first]
          if (!event) {
            await Promise.race([news.promise, aborted.promise])
            continue
          }
          yield { id: `${run}.${at}`, data: event }
          at += 1
        }
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
  }
}
