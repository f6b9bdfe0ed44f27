import {
  diagnoseToolbox,
  getToolbox,
  listToolboxes,
  type Observation,
  problem,
  readToolboxStatus,
  refreshToolboxStatus,
  type Toolbox,
} from '@agentopia/api'
import { type Client, getDiagnostics } from '@agentopia/dtma/contract'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import type { DtmaAddress } from './dtma-client.ts'
import { getToolboxRow, listToolboxRows, toolboxNotFound } from './toolbox.store.ts'
import type { ToolboxViews } from './toolbox.views.ts'

export interface ToolboxRouteDeps {
  readonly store: Store
  readonly views: ToolboxViews
  /** Looks at a toolbox now; `undefined` when there is none of that id any more. Never throws for a fault of the toolbox. */
  readonly look: (toolboxId: string) => Promise<Observation | undefined>
  readonly clientOf: (toolbox: DtmaAddress) => Client
}

/** Docker of a toolbox may hang; DTMA says so within less. */
const DIAGNOSE_MS = 20_000

export function toolboxRoutes(mount: Mount, deps: ToolboxRouteDeps): void {
  const { store, views, look, clientOf } = deps

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

  mount.reply(diagnoseToolbox, async ({ params: { toolboxId } }, { caller, signal }) => {
    const row = await store.tenant(caller.accountId, (tx) => getToolboxRow(tx, toolboxId))
    const limit = AbortSignal.timeout(DIAGNOSE_MS)
    return clientOf(row)
      .call(getDiagnostics, {}, { signal: AbortSignal.any([signal, limit]) })
      .catch((cause: unknown) => {
        if (!limit.aborted) throw cause
        throw problem('toolbox-unreachable', `DTMA of ${row.name} did not answer within ${DIAGNOSE_MS / 1_000} s`, {
          cause,
        })
      })
  })

  async function refresh(accountId: string, toolboxId: string) {
    await read(accountId, toolboxId) // a toolbox of another account is not looked at
    const observation = await look(toolboxId)
    if (!observation) throw toolboxNotFound(toolboxId)
    return { toolbox: await read(accountId, toolboxId), observation }
  }

  function read(accountId: string, toolboxId: string): Promise<Toolbox> {
    return store.tenant(accountId, async (tx) => {
      const [view] = await views(tx, [await getToolboxRow(tx, toolboxId)])
      return view!
    })
  }
}
