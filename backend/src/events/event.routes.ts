import { followChanges, getInfo, listActivity, problem } from '@agentopia/api'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import { listActivities } from './activity.store.ts'
import type { Changes } from './changes.ts'

export interface EventRouteDeps {
  readonly store: Store
  readonly changes: Changes
  /** Origin under which browsers and agents reach this control plane. */
  readonly publicUrl: string
  readonly version: string
}

export function eventRoutes(mount: Mount, { store, changes, publicUrl, version }: EventRouteDeps): void {
  mount.stream(followChanges, async (_, { caller, signal }) => asEvents(changes.follow(caller.accountId, signal)))

  mount.reply(listActivity, ({ query }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const { limit, toolboxId, cursor } = query
      const before = cursor === undefined ? undefined : positionOf(cursor)
      const found = await listActivities(tx, { limit: limit + 1, toolboxId, before })
      const items = found.slice(0, limit)
      const last = items.at(-1)
      return { items, ...(last && found.length > limit ? { nextCursor: `${last.at}_${last.id}` } : {}) }
    }),
  )

  mount.reply(getInfo, async () => ({
    product: 'Agentopia Toolboxes' as const,
    version,
    publicUrl,
    mcpUrl: `${publicUrl}/mcp`,
  }))
}

async function* asEvents<Data>(items: AsyncIterable<Data>): AsyncGenerator<{ data: Data }> {
  for await (const data of items) yield { data }
}

/** A cursor names the last record that is known: its time and its id. */
function positionOf(cursor: string): { at: Date; id: string } {
  const [, time, id] = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z)_(\w+)$/.exec(cursor) ?? []
  const at = new Date(time ?? Number.NaN)
  if (id === undefined || Number.isNaN(at.getTime()))
    throw problem('invalid-request', 'query: cursor is none that this list gave out')
  return { at, id }
}
