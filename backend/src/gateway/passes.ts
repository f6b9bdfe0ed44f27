import { createHash } from 'node:crypto'

/**
 * A tool may answer an approved call with a question, and the client comes again with the answer: the same call, for which
 * nobody is asked twice. A pass is good once, and for the state that it was given with; one that is lost is asked for again.
 */
export interface Passes {
  give(state: string, decidedBy: string): void
  /** Who approved the call that this state belongs to. The pass is spent. */
  take(state: string): string | undefined
}

const MOST = 10_000

export function createPasses(): Passes {
  const known = new Map<string, string>()
  const keyOf = (state: string) => createHash('sha256').update(state).digest('base64')

  return {
    give(state, decidedBy) {
      known.set(keyOf(state), decidedBy)
      if (known.size > MOST) known.delete(known.keys().next().value!)
    },
    take(state) {
      const key = keyOf(state)
      const decidedBy = known.get(key)
      known.delete(key)
      return decidedBy
    },
  }
}
