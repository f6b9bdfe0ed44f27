import { setTimeout as sleep } from 'node:timers/promises'

/** Looks until what is seen is good. @throws {Error} With what was seen last, after the deadline. */
export async function until<Seen>(
  what: string,
  deadlineMs: number,
  look: () => Promise<Seen>,
  good: (seen: Seen) => boolean,
): Promise<Seen> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const seen = await look()
    if (good(seen)) return seen
    if (Date.now() > deadline)
      throw new Error(`${what}: not within ${deadlineMs} ms; last seen: ${JSON.stringify(seen)}`)
    await sleep(200)
  }
}
