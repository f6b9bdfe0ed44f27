import { useSyncExternalStore } from 'react'
import type { Tone } from '../words/tone.ts'

/** Something to tell in passing. With an error it stays until it is put away. */
export interface Notice {
  readonly id: number
  readonly tone: Tone
  readonly text: string
  readonly error?: unknown
}

const SHOWN_MS = 5_000
const MOST = 4

let notices: readonly Notice[] = []
let lastId = 0
const listeners = new Set<() => void>()

function set(next: readonly Notice[]): void {
  notices = next
  for (const listener of listeners) listener()
}

export function notify(notice: Omit<Notice, 'id'>): void {
  const id = ++lastId
  set([...notices, { ...notice, id }].slice(-MOST))
  if (notice.error === undefined) setTimeout(() => dismiss(id), SHOWN_MS)
}

export const dismiss = (id: number): void => set(notices.filter((notice) => notice.id !== id))

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useNotices = (): readonly Notice[] => useSyncExternalStore(subscribe, () => notices)
