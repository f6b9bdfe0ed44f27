import {
  getToolbox,
  listToolboxes,
  type Observation,
  problem,
  readToolboxStatus,
  refreshToolboxStatus,
  type Toolbox,
} from '@agentopia/api'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { countTools, findToolbox, listToolboxRows, type ToolboxRow } from './toolbox.store.ts'
import { viewOf } from './toolbox.view.ts'

export interface ToolboxRouteDeps {
  readonly store: Store
  readonly clock: Clock
  /** Is a tunnel of this toolbox open? */
  readonly isConnected: (toolboxId: string) => boolean
  /** Since when heartbeats are listened for, milliseconds since the epoch. */
  readonly listeningSince: () => number
  /** Looks at a toolbox now; `undefined` when there is none of that id any more. Never throws for a fault of the toolbox. */
  readonly look: (toolboxId: string) => Promise<Observation | undefined>
}

export function toolboxRoutes(mount: Mount, deps: ToolboxRouteDeps): void {
  const { store, clock, isConnected, listeningSince, look } = deps

  mount.reply(listToolboxes, ({ query }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const rows = await listToolboxRows(tx, query.limit + 1, query.cursor)
      const page = rows.slice(0, query.limit)
      const items = await views(tx, page)
      return { items, ...(rows.length > query.limit ? { nextCursor: page.at(-1)!.name } : {}) }
    }),
  )

  mount.reply(getToolbox, ({ params }, { caller }) => read(caller.accountId, params.toolboxId))
  mount.reply(refreshToolboxStatus, ({ params }, { caller }) => refresh(caller.accountId, params.toolboxId))
  mount.reply(readToolboxStatus, ({ params }, { caller }) => refresh(caller.accountId, params.toolboxId))

  async function refresh(accountId: string, toolboxId: string) {
    await read(accountId, toolboxId) // a toolbox of another account is not looked at
    const observation = await look(toolboxId)
    if (!observation) throw notFound(toolboxId)
    return { toolbox: await read(accountId, toolboxId), observation }
  }

  function read(accountId: string, toolboxId: string): Promise<Toolbox> {
    return store.tenant(accountId, async (tx) => {
      const row = await findToolbox(tx, toolboxId)
      if (!row) throw notFound(toolboxId)
      const [view] = await views(tx, [row])
      return view!
    })
  }

  async function views(tx: Tx, rows: readonly ToolboxRow[]): Promise<Toolbox[]> {
    const counts = await countTools(
      tx,
      rows.map(({ id }) => id),
    )
    const common = { listeningSince: listeningSince(), now: clock.now() }
    return rows.map((row) => viewOf(row, { ...common, connected: isConnected(row.id), toolCounts: counts.get(row.id) }))
  }
}

/** The same for what does not exist and what is another account's. */
const notFound = (toolboxId: string) => problem('toolbox-not-found', `No toolbox has the id ${toolboxId}`)
