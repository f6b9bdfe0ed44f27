import { PresenceNeeded, ProblemError, type Way } from '@agentopia/api'
import { useSyncExternalStore } from 'react'

/** Somebody has to show to be there before what was asked for goes on. */
export interface Asking {
  /** How this person can; with none, only by a new sign-in link. */
  readonly ways: readonly Way[]
  /** It was shown: whatever waits is tried again. */
  proven(): void
  /** It will not be: whatever waits is refused. */
  leave(): void
}

let asking: (Asking & { readonly answer: Promise<boolean> }) | undefined
const listeners = new Set<() => void>()

function set(next: typeof asking): void {
  asking = next
  for (const listener of listeners) listener()
}

/** All that wait at one time are answered by one dialog. */
function ask(ways: readonly Way[]): Promise<boolean> {
  if (asking) return asking.answer
  const { promise: answer, resolve } = Promise.withResolvers<boolean>()
  const end = (isProven: boolean) => {
    set(undefined)
    resolve(isProven)
  }
  set({ ways, answer, proven: () => end(true), leave: () => end(false) })
  return answer
}

/** What the dialog is to ask for; `undefined`: nothing. */
export const askedNow = (): Asking | undefined => asking

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useAsking = (): Asking | undefined => useSyncExternalStore(subscribe, askedNow)

/**
 * Does what may need a proof that the person is there; when it does, asks for that and does it again.
 * @throws {ProblemError} `presence-needed` when the person left instead; whatever `act` throws.
 */
export async function withPresence<Result>(act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      const ways = waysOf(error)
      if (!ways || !(await ask(ways))) throw error
    }
  }
}

/** Was it not done only because the person left the question? That was his choice, and is no failure. */
export const isLeaving = (error: unknown): boolean => waysOf(error) !== undefined

function waysOf(error: unknown): readonly Way[] | undefined {
  if (!(error instanceof ProblemError) || error.code !== 'presence-needed') return undefined
  return PresenceNeeded.safeParse(error.kind).data?.ways ?? []
}
