import { listCalls, problem } from '@agentopia/api'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import { listCallRecords } from './call.store.ts'
import type { CallRecorder } from './call-recorder.ts'

export interface CallRouteDeps {
  readonly store: Store
  readonly recorder: Pick<CallRecorder, 'flush'>
}

export function callRoutes(mount: Mount, { store, recorder }: CallRouteDeps): void {
  mount.reply(listCalls, async ({ query }, { caller }) => {
    const { cursor, limit, ...filter } = query
    const before = cursor === undefined ? undefined : positionOf(cursor)
    await recorder.flush() // whoever called sees his call
    const found = await store.tenant(caller.accountId, (tx) =>
      listCallRecords(tx, { ...filter, limit: limit + 1, before }),
    )
    const items = found.slice(0, limit)
    const last = items.at(-1)
    return { items, ...(last && found.length > limit ? { nextCursor: `${last.startedAt}_${last.id}` } : {}) }
  })
}

/** A cursor names the last call that is known: when it began, and its id. */
function positionOf(cursor: string): { startedAt: string; id: string } {
  const [, startedAt, id] = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z)_(\w+)$/.exec(cursor) ?? []
  if (startedAt === undefined || id === undefined || Number.isNaN(Date.parse(startedAt)))
    throw problem('invalid-request', 'query: cursor is none that this list gave out')
  return { startedAt, id }
}
