import { RateLimited } from '../http/rate-limited.ts'

/** Keeps one slow tool from taking what the others need: so many calls at once, so many waiting, and no more. */
export interface Bulkhead {
  /**
   * Runs `act` when there is room for this key.
   * @throws {RateLimited} When too many wait already, or it waited too long; then `act` did not run.
   */
  enter<Result>(key: string, wait: Wait, act: () => Promise<Result>): Promise<Result>
}

interface Wait {
  /** Leaves the queue, with its reason. */
  readonly signal: AbortSignal
  readonly longestMs: number
}

interface Room {
  running: number
  /** Each gets the place of one that leaves. */
  readonly queue: Set<() => void>
}

export function createBulkhead({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }): Bulkhead {
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

  return {
    async enter(key, wait, act) {
      const room = rooms.get(key) ?? { running: 0, queue: new Set() }
      if (room.running >= atOnce) {
        if (room.queue.size >= waiting) throw new RateLimited('Too many calls are waiting for this tool', 1)
        await turn(room, wait)
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

function turn({ queue }: Room, { signal, longestMs }: Wait): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const settled = () => {
      clearTimeout(patience)
      signal.removeEventListener('abort', onAbort)
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
    const onAbort = () => giveUp(signal.reason)
    const patience = setTimeout(
      () => giveUp(new RateLimited('The tool had no room for this call in time', 1)),
      longestMs,
    )
    signal.addEventListener('abort', onAbort)
    queue.add(mine)
  })
}
