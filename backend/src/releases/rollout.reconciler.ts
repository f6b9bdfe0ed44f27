import { recordActivity } from '../events/activity.store.ts'
import type { Clock } from '../reconcile/clock.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import type { Store, Tx } from '../store/connect.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { membersOf, type RolloutRow } from './rollout.members.ts'
import { nextStep } from './rollout.step.ts'
import { changeRollout, holdRollout, listRunning } from './rollout.store.ts'
import { askIfOlder } from './update.ask.ts'
import { nextStep as updateStep } from './update.step.ts'
import { listPresentOf, withdrawUnsent } from './update.store.ts'

export interface RolloutReconcilerDeps {
  readonly store: Store
  readonly clock: Clock
  /** Names an attempt. */
  readonly newAttempt: () => string
  /** Wakes the reconciler of updates. */
  readonly wake: (toolboxId: string) => void
}

const LOOK_MS = 2_000

/** Asks the toolboxes of an account to update, wave after wave, and halts when too many of them are not well. */
export function rolloutReconciler({ store, clock, newAttempt, wake }: RolloutReconcilerDeps): Reconciler {
  async function step(tx: Tx, rollout: RolloutRow): Promise<{ outcome: Outcome; asked: readonly string[] }> {
    const { id, accountId, versions } = rollout
    const rows = await listPresentOf(tx, accountId)
    const next = nextStep(membersOf(rollout, rows, clock.now()).members)
    const at = new Date(clock.now())
    const record = (action: string, message: string) =>
      recordActivity(tx, { accountId, actor: 'control plane', action, subject: id, message })
    switch (next.kind) {
      case 'wait':
        return { outcome: again(LOOK_MS), asked: [] }
      case 'halt':
        await changeRollout(tx, id, { state: 'halted', reason: next.reason })
        await withdraw(tx, rollout, rows)
        await record('rollout.halted', `The rollout of DTMA was halted: ${next.reason}`)
        return { outcome: settled, asked: [] }
      case 'finish':
        await changeRollout(tx, id, { state: 'done', reason: null, endedAt: at })
        await record('rollout.done', 'The rollout of DTMA has reached every toolbox that is heard')
        return { outcome: settled, asked: [] }
      case 'ask': {
        const chosen = rows.filter((row) => next.toolboxIds.includes(row.id))
        for (const row of chosen)
          await askIfOlder(tx, row, { actor: rollout.actor, attempt: newAttempt(), at, newest: versions, rollout: id })
        return { outcome: again(LOOK_MS), asked: next.toolboxIds }
      }
    }
  }

  return {
    name: 'rollout',
    list: () => store.system(listRunning),
    async reconcile(id) {
      const { outcome, asked } = await store.system(async (tx) => {
        const rollout = await holdRollout(tx, id)
        return rollout?.state === 'running' ? step(tx, rollout) : { outcome: settled, asked: [] }
      })
      for (const toolboxId of asked) wake(toolboxId)
      return outcome
    },
  }
}

/** What was asked of toolboxes and has not begun does not begin. */
export async function withdraw(tx: Tx, { id }: RolloutRow, rows: readonly ToolboxRow[]): Promise<void> {
  for (const row of rows)
    if (row.updateAsked?.rollout === id && updateStep(row) === 'send')
      await withdrawUnsent(tx, row.id, row.updateAsked.attempt)
}
