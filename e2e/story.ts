/** Runs the steps of a story one after the other, and says what each took. */
export interface Story {
  /**
   * @param halfway Whether the step is half done: the worst moment to be disturbed.
   * @returns What `act` returns. @throws What it throws, after the step was shown as failed.
   */
  step<T>(what: string, act: () => Promise<T>, halfway?: () => Promise<boolean>): Promise<T>
  /** More about the step before. */
  note(what: string): void
}

/** As long as most steps are in words; their times stand below each other. */
const WIDTH = 72

/** @param print Gets one line per step. @param now Milliseconds, of a clock that never goes back. */
export function createStory(print: (line: string) => void, now: () => number = () => performance.now()): Story {
  return {
    note: (what) => print(`      ${what}`),
    async step(what, act) {
      const begun = now()
      const line = (mark: string) => print(`  ${mark} ${what.padEnd(WIDTH)} ${((now() - begun) / 1_000).toFixed(2)} s`)
      try {
        const result = await act()
        line('✔')
        return result
      } catch (error) {
        line('✖')
        throw error
      }
    },
  }
}
