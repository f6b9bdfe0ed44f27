import type { JsonRpcId } from '@agentopia/dtma/contract'

/** The calls that this process is making, so that a client may take one back with `notifications/cancelled`. */
export interface CallsUnderWay {
  /** @param client Tells clients of one agent apart: their ids are alike. @returns What to do when the call has ended. */
  add(client: string, id: JsonRpcId, cancel: () => void): () => void
  /** Takes back the call of this id; nothing happens when there is none, or when it is not clear which is meant. */
  cancel(client: string, id: unknown): void
}

export function createCallsUnderWay(): CallsUnderWay {
  const calls = new Map<string, Set<() => void>>()
  const keyOf = (client: string, id: unknown) => JSON.stringify([client, id])

  return {
    add(client, id, cancel) {
      const key = keyOf(client, id)
      const same = calls.get(key) ?? new Set()
      calls.set(key, same.add(cancel))
      return () => {
        same.delete(cancel)
        if (same.size === 0) calls.delete(key)
      }
    },
    cancel(client, id) {
      const found = calls.get(keyOf(client, id))
      if (found?.size === 1) for (const cancel of found) cancel()
    },
  }
}
