import { inArray } from 'drizzle-orm'
import type { Log } from '../log.ts'
import type { Store, Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import type { ToolboxRow } from './toolbox.store.ts'

export interface ToolboxNewsDeps {
  readonly store: Pick<Store, 'system'>
  /** Whoever waits for something of these toolboxes may go on; `tx` is to read what more must be known. */
  readonly hear: (tx: Tx, rows: readonly ToolboxRow[]) => Promise<void>
  readonly log: Log
  readonly signal: AbortSignal
}

/** Rows that are read at once. */
const AT_ONCE = 200

/**
 * Tells that there is news of a toolbox. It is heard at once; while some is told, what comes meanwhile is gathered and told together:
 * when thousands come back at the same time, each of them has news several times, and reading them one by one would take longer
 * than all else that is done for them. A hint: what is lost is found by the next resync.
 */
export function createToolboxNews({ store, hear, log, signal }: ToolboxNewsDeps): (toolboxId: string) => void {
  const waiting = new Set<string>()
  let isTelling = false

  async function tell(): Promise<void> {
    isTelling = true
    while (waiting.size > 0 && !signal.aborted) {
      const ids = [...waiting].slice(0, AT_ONCE)
      for (const id of ids) waiting.delete(id)
      try {
        await store.system(async (tx) => hear(tx, await tx.select().from(toolboxes).where(inArray(toolboxes.id, ids))))
      } catch (err) {
        log.warn({ err, toolboxes: ids.length }, 'news of toolboxes was not told; the next resync does it')
      }
    }
    isTelling = false
  }

  return (toolboxId) => {
    if (signal.aborted) return // nobody goes on any more
    waiting.add(toolboxId)
    if (!isTelling) void tell()
  }
}
