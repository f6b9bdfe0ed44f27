import { useSyncExternalStore } from 'react'

/** Whether hints arrive. `reconnecting` also means: what is shown may be old. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'reconnecting'; readonly since: number }

let current: Connection = { state: 'connecting' }
const listeners = new Set<() => void>()

export function setConnection(next: Connection): void {
  if (next.state === 'reconnecting' && current.state === 'reconnecting') return // since when it has been so is the news
  current = next
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useConnection = (): Connection => useSyncExternalStore(subscribe, () => current)
