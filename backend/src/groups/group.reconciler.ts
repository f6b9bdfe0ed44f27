import type { SQL } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import type { Clock } from '../reconcile/clock.ts'
import { createNowSince } from '../reconcile/now-since.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import { underLease } from '../reconcile/under-lease.ts'
import type { Store, Tx } from '../store/connect.ts'
import { groups } from '../store/schema/index.ts'
import { type GroupStep, nextStep } from './group.step.ts'
import {
  beginMember,
  type FoundGroup,
  findGroup,
  forgetGroup,
  type GroupRow,
  listUnsettled,
  type ReconciledColumns,
  takeBackMember,
  writeGroup,
} from './group.store.ts'

export interface GroupReconcilerDeps {
  readonly store: Store
  readonly clock: Clock
  /** Wakes the instance reconciler, that carries out what is asked of a member. */
  readonly wakeInstance: (instanceId: string) => void
  /** Identifier of this replica's process. */
  readonly owner: string
}

/** Wake-ups come with every report; this is for those that get lost. */
const LOOK_MS = 2_000
/** A tool that takes longer than this to be pulled, built and spoken to has failed. */
const READY_MS = 900_000

/**
 * Brings groups from what was asked for to what is: says whose turn it is and who is taken back; the instance
 * reconciler does the rest, as for every other tool. One step a call, each in one transaction.
 */
export function groupReconciler({ store, clock, wakeInstance, owner }: GroupReconcilerDeps): Reconciler {
  const nowSince = createNowSince(clock)

  async function reconcile(id: string): Promise<Outcome> {
    const seen = await decide(id)
    if (!seen || seen.step.kind === 'rest') return settled
    if (seen.step.kind === 'wait') return again(LOOK_MS)
    return underLease({ store, table: groups, id, owner }, async (held) => {
      const now = await decide(id) // another replica may have taken the step meanwhile
      return now ? act(now.step, now.found.group, held) : settled
    })
  }

  async function decide(id: string): Promise<{ step: GroupStep; found: FoundGroup } | undefined> {
    const found = await store.system((tx) => findGroup(tx, id))
    if (!found) return undefined
    const { group, toolbox, instanceOf } = found
    const { desired, state, members } = group
    // While the toolbox was silent, nothing could become ready.
    const progressedAt = Math.max(group.progressedAt.getTime(), toolbox.statusSince.getTime())
    const isOverdue = nowSince(id, progressedAt) - progressedAt > READY_MS
    return { step: nextStep({ desired, state, members, toolbox, instanceOf, isOverdue }), found }
  }

  async function act(step: GroupStep, group: GroupRow, held: SQL): Promise<Outcome> {
    switch (step.kind) {
      case 'rest':
        return settled
      case 'wait':
        return again(LOOK_MS)
      case 'begin':
        await write(held, { progressedAt: new Date(clock.now()) }, (tx) => beginMember(tx, step.instanceId))
        wakeInstance(step.instanceId)
        return again(0)
      case 'take-back':
        await write(held, { progressedAt: new Date(clock.now()) }, (tx) => takeBackMember(tx, step.instanceId))
        wakeInstance(step.instanceId)
        return again(LOOK_MS)
      case 'ready':
        await move(held, { state: 'ready' }, told(group, 'ready', `${group.name} is ready`))
        return settled
      case 'undo': {
        const { failure } = step
        const message = `${failure.member} of ${group.name} did not become ready, and the group is undone: ${failure.message}`
        await move(held, { state: 'undoing', failure }, told(group, 'undone', message))
        return again(0)
      }
      case 'failed':
        await move(held, { state: 'failed' })
        return settled
      case 'forget':
        await store.system((tx) => forgetGroup(tx, held))
        return settled
    }
  }

  const move = (held: SQL, columns: ReconciledColumns, and?: (tx: Tx) => Promise<unknown>) =>
    write(held, { ...columns, since: new Date(clock.now()) }, and)

  /** What belongs to the step is done only while the lease holds. */
  const write = (held: SQL, columns: ReconciledColumns, and?: (tx: Tx) => Promise<unknown>): Promise<void> =>
    store.system(async (tx) => {
      if (await writeGroup(tx, held, columns)) await and?.(tx)
    })

  return { name: 'group', list: () => store.system((tx) => listUnsettled(tx)), reconcile }
}

const told =
  ({ accountId, id, toolboxId }: GroupRow, what: string, message: string) =>
  (tx: Tx) =>
    recordActivity(tx, { accountId, actor: 'control plane', action: `group.${what}`, subject: id, toolboxId, message })
