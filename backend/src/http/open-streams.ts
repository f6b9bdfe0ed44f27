import type { Caller } from './caller.ts'
import { RateLimited } from './rate-limited.ts'

/** Counts the event streams that are open: each looks every few seconds whether its caller is still let in. */
export interface OpenStreams {
  /** @returns What to do when it has ended. @throws {RateLimited} When this caller, or the account, has too many open. */
  enter(caller: Caller): () => void
}

/** Far above what the windows of one person have open, and the people of one account. */
const MOST = { each: 60, account: 500 } as const
const COME_AGAIN_SECONDS = 5

/** In the memory of this process, as the streams are its own. */
export function createOpenStreams({
  each,
  account,
}: {
  readonly each: number
  readonly account: number
} = MOST): OpenStreams {
  const open = new Map<string, number>()
  const add = (key: string, more: number) => {
    const count = (open.get(key) ?? 0) + more
    if (count > 0) open.set(key, count)
    else open.delete(key)
  }

  return {
    enter(caller) {
      const who = caller.kind === 'user' ? caller.userId : caller.agentId
      for (const [key, most] of [
        [who, each],
        [caller.accountId, account],
      ] as const)
        if ((open.get(key) ?? 0) >= most)
          throw new RateLimited(`${most} event streams are open already: close some`, COME_AGAIN_SECONDS)
      for (const key of [who, caller.accountId]) add(key, 1)
      return () => {
        for (const key of [who, caller.accountId]) add(key, -1)
      }
    },
  }
}
