import type { ToolboxStatus } from '@agentopia/api'
import { and, inArray, ne, type SQL } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import { ProviderError, type ToolboxProvider } from '../providers/provider.ts'
import type { Clock } from '../reconcile/clock.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import { underLease } from '../reconcile/under-lease.ts'
import type { Store, Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { issueEnrolmentToken, unusedTokenExpiry } from '../uplink/enrolment.store.ts'
import { endToolbox } from './provision.store.ts'
import { nextStep } from './toolbox.step.ts'
import { findToolbox, moveTo, restate, type ToolboxRow } from './toolbox.store.ts'

export interface ToolboxReconcilerDeps {
  readonly store: Store
  readonly clock: Clock
  /** The providers of this control plane; toolboxes of others are left alone. */
  readonly providers: readonly ToolboxProvider[]
  /** Identifier of this replica's process. */
  readonly owner: string
}

const STARTED_MS = 2_000
const BEFORE_HEARTBEAT: readonly ToolboxStatus[] = ['pending_provision', 'provisioning', 'awaiting_heartbeat']

/** Brings toolboxes from what was asked for to what is, one step a call. Its loop's deadline must be {@link LEASED_STEP_MS}. */
export function toolboxReconciler({ store, clock, providers, owner }: ToolboxReconcilerDeps): Reconciler {
  const providerOf = new Map(providers.map((provider) => [provider.name, provider]))
  /** Toolboxes whose machine this process has seen running or has started. */
  const seenRunning = new Set<string>()

  async function step(row: ToolboxRow, provider: ToolboxProvider, held: SQL, signal: AbortSignal): Promise<Outcome> {
    const machine = await provider.find(row.id, signal)
    const expiry = await store.system((tx) => unusedTokenExpiry(tx, row.id))
    const firstLook = !seenRunning.has(row.id)
    const next = nextStep({
      desired: row.desired,
      status: row.status,
      firstLook,
      now: clock.now(),
      ...(machine ? { machine } : {}),
      ...(expiry ? { tokenExpiresAt: expiry.getTime() } : {}),
    })
    if (machine?.state === 'running') seenRunning.add(row.id)
    switch (next.kind) {
      case 'none':
        return settled
      case 'wait':
        await explain(row, machine?.state === 'creating' ? machine.description : null)
        return again(next.ms)
      case 'create':
        await moved(row, held, { to: 'provisioning', from: ['pending_provision', 'awaiting_heartbeat'] })
        await provider.create(row.id, await newToken(row), signal)
        seenRunning.add(row.id)
        await moved(row, held, { to: 'awaiting_heartbeat', from: ['provisioning', 'error_provisioning'] })
        return again(STARTED_MS)
      case 'start':
        await provider.start(row.id, signal)
        seenRunning.add(row.id)
        return again(STARTED_MS)
      case 'await':
        if (row.status === 'pending_provision') await moved(row, held, { to: 'provisioning' })
        await moved(row, held, { to: 'awaiting_heartbeat', from: ['provisioning', 'error_provisioning'] })
        return again(STARTED_MS)
      case 'renew-token':
        await provider.renewToken(row.id, await newToken(row), signal)
        return again(STARTED_MS)
      case 'deprovision':
        return deprovision(row, provider, held, signal)
    }
  }

  async function deprovision(row: ToolboxRow, provider: ToolboxProvider, held: SQL, signal: AbortSignal) {
    await moved(row, held, { to: 'pending_deprovision' })
    await moved(row, held, { to: 'deprovisioning' })
    await provider.destroy(row.id, signal)
    await store.system(async (tx) => {
      const now = new Date(clock.now())
      if (!(await endToolbox(tx, row, now, held))) return
      await record(tx, row, 'toolbox.deprovisioned', `${row.name} is deprovisioned`)
    })
    return settled
  }

  const explain = (row: ToolboxRow, reason: string | null) =>
    store.system((tx) => restate(tx, row.id, 'awaiting_heartbeat', reason))

  const newToken = (row: ToolboxRow): Promise<string> =>
    store.system((tx) => issueEnrolmentToken(tx, row, new Date(clock.now())))

  const moved = (row: ToolboxRow, held: SQL, change: { to: ToolboxStatus; from?: readonly ToolboxStatus[] }) =>
    store.system((tx) => moveTo(tx, row.id, { ...change, now: new Date(clock.now()), when: held }))

  /** Shows people why it does not go on. The status of a toolbox that has worked already is left to its heartbeats. */
  async function showFailure({ id, name }: ToolboxRow, reason: string, held: SQL): Promise<void> {
    await store.system(async (tx) => {
      const now = new Date(clock.now())
      const failed =
        (await moveTo(tx, id, { to: 'error_provisioning', reason, now, from: BEFORE_HEARTBEAT, when: held })) ??
        (await moveTo(tx, id, { to: 'error_deprovisioning', reason, now, when: held }))
      if (failed) await record(tx, failed, `toolbox.${failed.status}`, `${name}: ${reason}`)
      else await restate(tx, id, 'error_provisioning', reason)
    })
  }

  return {
    name: 'toolbox',

    list: () =>
      store.system(async (tx) => {
        const ours = and(inArray(toolboxes.provider, [...providerOf.keys()]), ne(toolboxes.status, 'deprovisioned'))
        return (await tx.select({ id: toolboxes.id }).from(toolboxes).where(ours)).map(({ id }) => id)
      }),

    reconcile: (id, signal) =>
      underLease({ store, table: toolboxes, id, owner }, async (held) => {
        const row = await store.system((tx) => findToolbox(tx, id))
        const provider = row && providerOf.get(row.provider)
        if (!row || !provider) return settled
        try {
          return await step(row, provider, held, signal)
        } catch (error) {
          if (error instanceof ProviderError) await showFailure(row, error.message, held)
          throw error
        }
      }),
  }
}

const record = (tx: Tx, { id, accountId }: ToolboxRow, action: string, message: string) =>
  recordActivity(tx, { accountId, actor: 'control plane', action, subject: id, toolboxId: id, message })
