import type { SQL } from 'drizzle-orm'
import type { Clock } from '../../reconcile/clock.ts'
import { createNowSince } from '../../reconcile/now-since.ts'
import { again, type Outcome, type Reconciler, settled } from '../../reconcile/reconciler.ts'
import { underLease } from '../../reconcile/under-lease.ts'
import type { Store } from '../../store/connect.ts'
import type { ActionRecord } from '../../store/schema/droplet-actions.ts'
import { dropletActions } from '../../store/schema/index.ts'
import { findToolbox, type ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import { createActionEffects } from './action.effects.ts'
import { type ActionStep, nextActionStep, pauseMs, type Stage, stageOf } from './action.step.ts'
import { type ActionRow, findAction, listActionsAtWork, writeAction } from './action.store.ts'
import type { Action } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError, isBusyDroplet } from './digitalocean-error.ts'
import type { DropletDoor } from './droplet.door.ts'
import { snapshotName } from './droplet-names.ts'

export interface ActionReconcilerDeps {
  readonly store: Store
  readonly clock: Clock
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
  readonly clientOf: (accountId: string) => Promise<DigitalOcean | undefined>
  readonly environment: string
  /** Identifier of this replica's process. */
  readonly owner: string
  /** Closes the tunnel of a toolbox whose credentials are void. */
  readonly disconnect: (toolboxId: string) => void
  /** The firewall of droplets. */
  readonly door: Pick<DropletDoor, 'open'>
  /** USD a month of a size; `undefined` when it is not offered any more. */
  readonly priceOf: (accountId: string, size: string) => Promise<number | undefined>
  /** There is news of the toolbox. */
  readonly wake: (toolboxId: string) => void
}

/** One action of a droplet that is at work. */
export interface ActionWork {
  readonly row: ActionRow
  readonly toolbox: ToolboxRow
  readonly held: SQL
  readonly client: DigitalOcean
  readonly signal: AbortSignal
}

/** Carries out what people ask to be done with droplets, one step a call. Its loop's deadline must be {@link LEASED_STEP_MS}. */
export function actionReconciler(deps: ActionReconcilerDeps): Reconciler {
  const { store, clock, random, clientOf, environment, owner, wake } = deps
  const effects = createActionEffects(deps)
  const nowSince = createNowSince(clock)

  async function step(row: ActionRow, held: SQL, signal: AbortSignal): Promise<Outcome> {
    const toolbox = await store.system((tx) => findToolbox(tx, row.toolboxId))
    if (!toolbox) return settled // it went with its toolbox
    if (toolbox.deletedAt) {
      const ended = { state: 'failed' as const, message: 'The toolbox is gone', endedAt: new Date(clock.now()) }
      await store.system((tx) => writeAction(tx, held, ended))
      return settled
    }
    const client = await clientOf(row.accountId)
    if (!client) throw new DigitalOceanError('refused', 'The account has no token of DigitalOcean any more')
    const work = { row, toolbox, held, client, signal }
    const next = await decide(work)
    const outcome = await act(next, work)
    if (next.kind !== 'wait') wake(toolbox.id)
    return outcome
  }

  async function decide({ row, toolbox, client, signal }: ActionWork): Promise<ActionStep> {
    const { record, request } = row
    const { doDropletId } = toolbox
    const droplet = doDropletId === null ? undefined : await client.droplet(doDropletId, signal)
    const stage = stageOf(request.kind, record)
    const address = stage === 'reserve' || stage === 'release' ? await addressOf(client, toolbox, signal) : undefined
    return nextActionStep({
      request,
      record,
      leaving: toolbox.desired === 'absent',
      status: toolbox.status,
      enrolEpoch: toolbox.enrolEpoch,
      ...(droplet ? { droplet: { status: droplet.status, size: droplet.size_slug } } : {}),
      actions: doDropletId !== null && record.attempts > 0 ? await seenActions(client, doDropletId, row, signal) : [],
      snapshotted:
        request.kind === 'snapshot' &&
        (await client.snapshots(signal)).some(
          ({ name }) => name === snapshotName(environment, toolbox.id, request.name),
        ),
      ...(address ? { reservedIp: { ip: address.ip, leadsHere: address.leadsHere } } : {}),
      now: nowSince(row.id, record.askedAt ?? record.begunAt),
    })
  }

  /** The one that is known, or all of them to find it among. */
  async function seenActions(
    client: DigitalOcean,
    dropletId: number,
    { record }: ActionRow,
    signal: AbortSignal,
  ): Promise<Action[]> {
    if (record.providerActionId === undefined) return client.actions(dropletId, signal)
    const known = await client.action(dropletId, record.providerActionId, signal)
    return known ? [known] : []
  }

  async function act(next: ActionStep, work: ActionWork): Promise<Outcome> {
    const { row, held } = work
    const { record } = row
    const note = (change: Partial<ActionRow['record']>) =>
      store.system((tx) => writeAction(tx, held, { record: { ...record, ...change } }))
    switch (next.kind) {
      case 'wait':
      case 'count-look':
        await note({ looks: record.looks + 1 })
        return again(pauseMs(record.looks, random()))
      case 'ask':
        return ask(work)
      case 'adopt':
        await note({ providerActionId: next.actionId, outcome: 'made', looks: 0 })
        return again(0)
      case 'next-stage': {
        const stage = stageOf(row.request.kind, record)!
        const begun = await effects.afterStage(stage, work)
        await store.system((tx) => writeAction(tx, held, { record: nextStageOf(begun, next.failed) }))
        return again(0)
      }
      case 'done':
        await effects.finish(work)
        return settled
      case 'fail':
        await effects.finish(work, next.reason)
        return settled
    }
  }

  /** The intent first; what is lost on the way is found again among what DigitalOcean did since. */
  async function ask(work: ActionWork): Promise<Outcome> {
    const { row, held } = work
    const stage = stageOf(row.request.kind, row.record) as Exclude<Stage, 'enrol'>
    const record = await effects.intend(stage, work)
    if (!record) return again(pauseMs(0, random())) // another replica is at it
    try {
      const providerActionId = await effects.perform(stage, record, work)
      const known = { ...record, outcome: 'made' as const, ...(providerActionId ? { providerActionId } : {}) }
      await store.system((tx) => writeAction(tx, held, { record: known }))
    } catch (error) {
      if (!(error instanceof DigitalOceanError)) throw error
      if (error.kind === 'unknown') {
        await store.system((tx) => writeAction(tx, held, { message: `${error.message}: looking what came of it` }))
        return again(pauseMs(0, random()))
      }
      const refused = { ...record, attempts: row.record.attempts, outcome: 'refused' as const }
      await store.system((tx) => writeAction(tx, held, { record: refused }))
      if (!isBusyDroplet(error)) throw error
      await store.system((tx) =>
        writeAction(tx, held, { message: 'DigitalOcean does something else with the droplet; it comes after that' }),
      )
      return again(pauseMs(record.looks, random()))
    }
    return again(pauseMs(0, random()))
  }

  /** What DigitalOcean will not do is told; what it may have done is looked for. */
  async function failed(error: DigitalOceanError, row: ActionRow, held: SQL, signal: AbortSignal): Promise<Outcome> {
    if (error.kind === 'limited') return again(Math.max(error.retryAfterMs, 1_000))
    if (error.kind === 'unknown') throw error
    const toolbox = await store.system((tx) => findToolbox(tx, row.toolboxId))
    const client = await clientOf(row.accountId)
    if (toolbox && stageOf(row.request.kind, row.record) === 'resize' && client) {
      await store.system((tx) => writeAction(tx, held, { record: nextStageOf(row.record, error.message) }))
      return again(0) // it is powered on all the same
    }
    if (toolbox) await effects.finish({ row, toolbox, held, client, signal }, error.message)
    return settled
  }

  return {
    name: 'droplet action',
    list: () => store.system(listActionsAtWork),
    reconcile: (id, signal) =>
      underLease({ store, table: dropletActions, id, owner }, async (held) => {
        const row = await store.system((tx) => findAction(tx, id))
        if (!row || row.endedAt) return settled
        try {
          return await step(row, held, signal)
        } catch (error) {
          if (error instanceof DigitalOceanError) return failed(error, row, held, signal)
          throw error
        }
      }),
  }
}

/** The record of an action whose present stage is over. */
const nextStageOf = (
  { stage, wasOff, epoch, showing, roadBack, failed }: ActionRecord,
  failure?: string,
): ActionRecord => ({
  stage: stage + 1,
  attempts: 0,
  looks: 0,
  ...(wasOff === undefined ? {} : { wasOff }),
  ...(epoch === undefined ? {} : { epoch }),
  ...(showing === undefined ? {} : { showing }),
  ...(roadBack === undefined ? {} : { roadBack }),
  ...(failed === undefined ? {} : { failed }),
  ...(failure === undefined ? {} : { failed: failure }),
})

/** The address that leads to the droplet, or that was given to it before. */
async function addressOf(client: DigitalOcean, { doDropletId, reservedIpAddress }: ToolboxRow, signal: AbortSignal) {
  const all = await client.reservedIps(signal)
  const found =
    all.find(({ droplet }) => doDropletId !== null && droplet?.id === doDropletId) ??
    all.find(({ ip }) => ip === reservedIpAddress)
  return found && { ip: found.ip, leadsHere: doDropletId !== null && found.droplet?.id === doDropletId }
}
