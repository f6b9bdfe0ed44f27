import { vi } from 'vitest'

// What a test waits for comes, also on a machine that stands still for a second or two. Where the time is what the test claims, it
// gives its own. (Vitest has such a setting for `expect.poll` alone.)
const PATIENCE_MS = 10_000

const { waitFor } = vi
if (waitFor.name !== 'waitPatiently')
  vi.waitFor = function waitPatiently(look, asked) {
    return waitFor(look, { timeout: PATIENCE_MS, ...(typeof asked === 'number' ? { timeout: asked } : asked) })
  }
