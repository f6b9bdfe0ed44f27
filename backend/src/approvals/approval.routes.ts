import { decideApproval, listApprovals } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { cleanText } from '../gateway/clean-text.ts'
import { type Caller, mayCall } from '../http/caller.ts'
import { cursorOf, positionOf } from '../http/cursor.ts'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import type { approvals } from '../store/schema/index.ts'
import type { Sealer } from '../store/seal.ts'
import { askedArgumentsOf, decideAbout, listApprovalRows, viewOf } from './approval.store.ts'

export interface ApprovalRouteDeps {
  readonly store: Store
  readonly sealer: Pick<Sealer, 'open'>
}

/** What waits for a person, and the answer. */
export function approvalRoutes(mount: Mount, { store, sealer }: ApprovalRouteDeps): void {
  /** Arguments may hold what is nobody's business but of who decides. */
  function argumentsFor(caller: Caller, row: typeof approvals.$inferSelect) {
    if (row.arguments === null || !mayCall(decideApproval.auth, caller)) return undefined
    return sealer.open(row.arguments, askedArgumentsOf(row))
  }

  mount.reply(listApprovals, ({ query }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const { limit, cursor, ...asked } = query
      const before = cursor === undefined ? undefined : positionOf(cursor)
      const found = await listApprovalRows(tx, { ...asked, limit: limit + 1, before })
      const items = found
        .slice(0, limit)
        .map(({ row, held }) => viewOf(row, { held, args: held ? argumentsFor(caller, row) : undefined }))
      const last = items.at(-1)
      return { items, ...(last && found.length > limit ? { nextCursor: cursorOf(last.askedAt, last.id) } : {}) }
    }),
  )

  mount.reply(decideApproval, ({ params, body }, { caller: { accountId, actor } }) =>
    store.tenant(accountId, async (tx) => {
      const { row, isNew } = await decideAbout(tx, params.approvalId, { ...body, actor })
      if (isNew) {
        const what = `${cleanText(row.capability)} of ${row.instanceName} by ${row.agentName}`
        const told = {
          approved: row.always ? `Allowed ${what}, without being asked from now on` : `Allowed one call: ${what}`,
          denied: `Denied one call: ${what}`,
        }
        await recordActivity(tx, {
          accountId,
          actor,
          action: `call.${row.state}`,
          subject: row.agentId,
          message: told[row.state as keyof typeof told],
        })
      }
      return viewOf(row, { held: false })
    }),
  )
}
