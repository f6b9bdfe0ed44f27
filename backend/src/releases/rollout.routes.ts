import { giveUpRollout, listRollouts, problem, resumeRollout, startRollout } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { newId } from '../new-id.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { Newest } from './releases.ts'
import { membersOf, type RolloutRow } from './rollout.members.ts'
import { withdraw } from './rollout.reconciler.ts'
import { changeRollout, holdRollout, insertRollout, lastRollouts, openRolloutOf } from './rollout.store.ts'
import { rolloutView } from './rollout.view.ts'
import { listPresent } from './update.store.ts'
import { releaseOf } from './update.view.ts'

export interface RolloutRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly newId: typeof newId
  /** @throws {ProblemError} `image-unavailable` */
  readonly newestNow: () => Promise<Newest>
  /** Wakes the reconciler of rollouts. */
  readonly wake: (rolloutId: string) => void
}

/** People bring a newer version of DTMA to all toolboxes, and say how a rollout that was halted goes on. */
export function rolloutRoutes(mount: Mount, { store, clock, newId, newestNow, wake }: RolloutRouteDeps): void {
  const record = (tx: Tx, { accountId, actor }: Caller, subject: string, action: string, message: string) =>
    recordActivity(tx, { accountId, actor, action, subject, message })

  const viewOf = (row: RolloutRow, rows: readonly ToolboxRow[]) => rolloutView(row, rows, clock.now())

  mount.reply(startRollout, async (_, { caller }) => {
    const newest = await newestNow()
    const view = await store.tenant(caller.accountId, async (tx) => {
      const rows = await listPresent(tx)
      const open = await openRolloutOf(tx, caller.accountId)
      if (open) return viewOf(open, rows)
      if (!rows.some((row) => releaseOf(row, newest)?.newer !== undefined))
        throw problem('nothing-to-update', 'Every toolbox has the newest version of DTMA')
      const { accountId, actor } = caller
      const made = await insertRollout(tx, { id: newId('roll'), accountId, actor, versions: newest })
      const row = made ?? (await openRolloutOf(tx, accountId))! // somebody else was faster
      if (made) await record(tx, caller, row.id, 'rollout.started', 'Asked to bring the newest DTMA to all toolboxes')
      return viewOf(row, rows)
    })
    wake(view.id)
    return view
  })

  mount.reply(listRollouts, (_, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const rows = await listPresent(tx)
      return { items: (await lastRollouts(tx)).map((row) => viewOf(row, rows)) }
    }),
  )

  mount.reply(resumeRollout, async ({ params: { rolloutId } }, { caller }) => {
    const view = await store.tenant(caller.accountId, async (tx) => {
      const [row, rows] = [await held(tx, rolloutId), await listPresent(tx)]
      if (row.state === 'running') return viewOf(row, rows)
      const unwell = membersOf(row, rows, clock.now()).members.filter(({ standing }) => standing === 'unwell')
      const forgiven = [...row.forgiven, ...unwell.map(({ toolboxId }) => toolboxId)]
      await record(tx, caller, row.id, 'rollout.resumed', 'Let the rollout of DTMA go on')
      return viewOf(await changeRollout(tx, row.id, { state: 'running', reason: null, forgiven }), rows)
    })
    wake(rolloutId)
    return view
  })

  mount.reply(giveUpRollout, ({ params: { rolloutId } }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const row = await held(tx, rolloutId)
      await withdraw(tx, row, await listPresent(tx))
      await record(tx, caller, row.id, 'rollout.given_up', 'Gave the rollout of DTMA up')
      const ended = await changeRollout(tx, row.id, { state: 'given_up', endedAt: new Date(clock.now()) })
      return viewOf(ended, await listPresent(tx))
    }),
  )

  async function held(tx: Tx, rolloutId: string): Promise<RolloutRow> {
    const row = await holdRollout(tx, rolloutId)
    if (!row) throw problem('rollout-not-found', `There is no rollout ${rolloutId}`)
    if (row.endedAt) throw problem('rollout-over', `The rollout is ${row.state === 'done' ? 'done' : 'given up'}`)
    return row
  }
}
