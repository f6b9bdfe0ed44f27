import type { Toolbox } from '@agentopia/api'
import type { Clock } from '../reconcile/clock.ts'
import type { Newest } from '../releases/releases.ts'
import type { Tx } from '../store/connect.ts'
import { countTools, type ToolboxRow } from './toolbox.store.ts'
import { viewOf } from './toolbox.view.ts'

export interface ToolboxViewsDeps {
  readonly clock: Clock
  /** Is a tunnel of this toolbox open? */
  readonly isConnected: (toolboxId: string) => boolean
  /** Since when heartbeats are listened for, milliseconds since the epoch. */
  readonly listeningSince: () => number
  /** Versions of DTMA that this control plane gives out. */
  readonly newest: () => Newest
}

/** What people see of these toolboxes, in their order. */
export type ToolboxViews = (tx: Tx, rows: readonly ToolboxRow[]) => Promise<Toolbox[]>

export function createToolboxViews({ clock, isConnected, listeningSince, newest }: ToolboxViewsDeps): ToolboxViews {
  return async (tx, rows) => {
    const counts = await countTools(
      tx,
      rows.map(({ id }) => id),
    )
    const common = { listeningSince: listeningSince(), now: clock.now(), newest: newest() }
    return rows.map((row) => viewOf(row, { ...common, connected: isConnected(row.id), toolCounts: counts.get(row.id) }))
  }
}
