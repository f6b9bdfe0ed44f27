import { RateLimited } from './rate-limited.ts'

/** Keeps one thing that is slow from taking what the others need: so many at once, so many waiting, and no more. */
export interface Bulkhead {
  /**
   * Runs `act` when there is room for this key.
   * @throws What it refuses with ({@link RateLimited}), when too many wait already, or it waited too long; then `act` did not run.
   */
  enter<Result>(key: string, wait: Wait, act: () => Promise<Result>): Promise<Result>
  /** For whoever is to be refused before he says what he wants. @throws What it refuses with, when nobody more would be taken. */
  requireRoom(key: string): void
}

interface Wait {
  /** Leaves the queue, with its reason; absent: nobody does. */
  readonly signal?: AbortSignal
  readonly longestMs: number
}

interface BulkheadLimits {
  readonly atOnce: number
  readonly waiting: number
  readonly of: string
  /** What is thrown at whoever finds no room; absent: {@link RateLimited}. */
  readonly refuse?: (detail: string) => Error
}

const comeSoon = (detail: string): Error => new RateLimited(detail, 1)

interface Room {
  running: number
  /** Each gets the place of one that leaves. */
  readonly queue: Set<() => void>
}

/** @param of What they are, in words for whoever is told to come again. */
export function createBulkhead({ atOnce, waiting, of, refuse = comeSoon }: BulkheadLimits): Bulkhead {
  const rooms = new Map<string, Room>()

  function leave(key: string, room: Room): void {
    const [next] = room.queue
    if (next) {
      room.queue.delete(next)
      next()
      return
    }
    room.running -= 1
    if (room.running === 0) rooms.delete(key)
  }

  function requireRoom(key: string): void {
    const room = rooms.get(key)
    if (room && room.running >= atOnce && room.queue.size >= waiting) throw refuse(`Too many ${of} are waiting`)
  }

  return {
    requireRoom,
    async enter(key, wait, act) {
      const room = rooms.get(key) ?? { running: 0, queue: new Set() }
      if (room.running >= atOnce) {
        requireRoom(key)
        await turn(room, wait, () => refuse(`Too many ${of} were waiting for too long`))
      } else {
        rooms.set(key, room)
        room.running += 1
      }
      try {
        return await act()
      } finally {
        leave(key, room)
      }
    },
  }
}

function turn({ queue }: Room, { signal, longestMs }: Wait, refusal: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const settled = () => {
      clearTimeout(patience)
      signal?.removeEventListener('abort', onAbort)
    }
    const mine = () => {
      settled()
      resolve()
    }
    const giveUp = (why: unknown) => {
      settled()
      queue.delete(mine)
      reject(why)
    }
    const onAbort = () => giveUp(signal?.reason)
    const patience = setTimeout(() => giveUp(refusal()), longestMs)
    signal?.addEventListener('abort', onAbort)
    queue.add(mine)
  })
}
