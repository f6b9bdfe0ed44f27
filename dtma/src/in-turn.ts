/** Pieces of work that must not meet: one begins when the one before has ended. */
export interface Turn {
  /** In the order in which they are taken. One that fails tells whoever took it, and the next goes on. */
  take<T>(act: () => Promise<T>): Promise<T>
  /** Resolves when all that was taken until now has ended. Never rejects. */
  readonly over: Promise<unknown>
}

export function createTurn(): Turn {
  let last: Promise<unknown> = Promise.resolve()
  return {
    take(act) {
      const mine = last.then(act)
      last = mine.catch(() => undefined) // whoever took it has the error
      return mine
    },
    get over() {
      return last
    },
  }
}
