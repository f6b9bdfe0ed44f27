import { AssertionError } from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Product } from './product.ts'
import type { Story } from './story.ts'

/** A step that does not say when it is half done is disturbed so long after its beginning. */
const SOON_MS = 30
const LOOK_MS = 50
/** Somebody who was not answered asks again for so long. */
const AGAIN_MS = 180_000

/**
 * The same story with the control plane killed by `kill -9`, and started again, once in every step: when that is half done. A step
 * that this breaks off is done again, as anybody asks again who got no answer. So each must be written that it may be done twice,
 * and what it asserts holds for both times together: an assertion is never tried again.
 */
export function underKills(story: Story, product: Pick<Product, 'kill' | 'start'>): Story {
  return {
    note: story.note,
    async step(what, act, halfway = soon) {
      let cut = ''
      const result = await story.step(what, async () => {
        const begun = performance.now()
        let isOver = false
        const first = act().then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        )
        first.then(() => {
          isOver = true
        })
        while (!isOver && !(await halfway().catch(() => false))) await sleep(LOOK_MS)
        const after = `killed after ${((performance.now() - begun) / 1_000).toFixed(2)} s`
        const wasOver = isOver
        await product.kill()
        await product.start()
        const outcome = await first
        if ('value' in outcome) {
          cut = wasOver ? `${after}, when it was over` : `${after}; it went on`
          return outcome.value
        }
        cut = `${after}, and done again`
        return again(outcome.error, act)
      })
      story.note(cut)
      return result
    },
  }
}

const soon = () => sleep(SOON_MS, true)

async function again<T>(failure: unknown, act: () => Promise<T>): Promise<T> {
  let last = failure
  for (const deadline = performance.now() + AGAIN_MS; performance.now() < deadline; await sleep(LOOK_MS)) {
    if (last instanceof AssertionError) throw last
    try {
      return await act()
    } catch (error) {
      last = error
    }
  }
  throw last
}
