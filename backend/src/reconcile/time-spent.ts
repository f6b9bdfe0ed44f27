import type { Clock } from './clock.ts'

/**
 * For how long this process has been at the present thing of each key. What another one spent of the time says nothing about the
 * thing: whoever goes on after it has the whole time again.
 */
export interface TimeSpent {
  /** @returns Milliseconds since this process first saw the key at this thing: 0 at the first look. */
  on(key: string, what: string): number
  forget(key: string): void
  /** Of those that another process has ended nobody else hears. */
  forgetAllBut(keys: readonly string[]): void
}

export function createTimeSpent(clock: Pick<Clock, 'steady'>): TimeSpent {
  const begun = new Map<string, { readonly what: string; readonly at: number }>()

  return {
    on(key, what) {
      const at = clock.steady()
      const known = begun.get(key)
      if (known?.what === what) return at - known.at
      begun.set(key, { what, at })
      return 0
    },
    forget: (key) => void begun.delete(key),
    forgetAllBut(keys) {
      const kept = new Set(keys)
      for (const key of begun.keys()) if (!kept.has(key)) begun.delete(key)
    },
  }
}
