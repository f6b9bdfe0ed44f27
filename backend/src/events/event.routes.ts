import { followChanges, getInfo, type InstallVariant, listActivity } from '@agentopia/api'
import { cursorOf, positionOf } from '../http/cursor.ts'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import { listActivities } from './activity.store.ts'
import type { Changes } from './changes.ts'

export interface EventRouteDeps {
  readonly store: Store
  readonly changes: Changes
  /** Origin under which browsers and agents reach this control plane. */
  readonly publicUrl: string
  readonly mcpUrl: string
  readonly operatorUrl: string
  readonly version: string
  /** What single sign-on is called, when there is one. */
  readonly signOn: string | undefined
  /** Ways in which DTMA can be installed from here. */
  readonly variants: readonly InstallVariant[]
  /** Since when nothing is carried out, because the database was restored; `undefined` mostly. */
  readonly recoveringSince: () => Date | undefined
}

export function eventRoutes(
  mount: Mount,
  { store, changes, publicUrl, mcpUrl, operatorUrl, version, variants, signOn, recoveringSince }: EventRouteDeps,
): void {
  mount.stream(followChanges, async (_, { caller, signal }) => asEvents(changes.follow(caller.accountId, signal)))

  mount.reply(listActivity, ({ query }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const { limit, toolboxId, cursor } = query
      const before = cursor === undefined ? undefined : positionOf(cursor)
      const found = await listActivities(tx, { limit: limit + 1, toolboxId, before })
      const items = found.slice(0, limit)
      const last = items.at(-1)
      return { items, ...(last && found.length > limit ? { nextCursor: cursorOf(last.at, last.id) } : {}) }
    }),
  )

  mount.reply(getInfo, async () => {
    const recovering = recoveringSince()
    return {
      product: 'Agentopia Toolboxes' as const,
      version,
      publicUrl,
      mcpUrl,
      operatorUrl,
      variants: [...variants],
      ...(signOn === undefined ? {} : { signOn }),
      ...(recovering ? { recoveringSince: recovering.toISOString() } : {}),
    }
  })
}

async function* asEvents<Data>(items: AsyncIterable<Data>): AsyncGenerator<{ data: Data }> {
  for await (const data of items) yield { data }
}
