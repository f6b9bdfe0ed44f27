import { and, eq, gt, isNull, lt, or, sql } from 'drizzle-orm'
import { recordActivity } from '../events/activity.store.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { judgeSilence, UNRESPONSIVE_MS, type Watch } from './liveness.decision.ts'
import { moveTo } from './toolbox.store.ts'

export interface LivenessDeps {
  readonly store: Store
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly log: Log
}

export interface Liveness {
  /** Since when heartbeats are listened for without a gap, milliseconds since the epoch. */
  listeningSince(): number
  /** Looks once: what has been silent for too long becomes `unresponsive`. */
  look(): Promise<void>
  /** Resolves when the watch has ended after the signal. Never rejects. */
  readonly stopped: Promise<void>
}

const LOOK_EVERY_MS = 5_000
/** For so long we did not run (suspended, starved), or nothing could be written down: what was not heard may be our fault. */
const GAP_MS = 20_000

/** Watches for silent toolboxes until the signal. */
export function watchLiveness({ store, clock, signal, log }: LivenessDeps): Liveness {
  let watch: Watch = { listeningSince: clock.now(), flips: [] }
  let lastLookAt = clock.now()

  async function look(): Promise<void> {
    const active = await store.system(async (tx) => {
      // Waits where a heartbeat would have to: a database that takes none does not say that none came.
      await tx.execute(sql`lock table ${toolboxes} in row exclusive mode`)
      return tx
        .select({ id: toolboxes.id, accountId: toolboxes.accountId, lastHeartbeatAt: toolboxes.lastHeartbeatAt })
        .from(toolboxes)
        .where(and(eq(toolboxes.status, 'active'), isNull(toolboxes.deletedAt)))
    })
    const now = clock.now()
    // Or the clock was set, in whichever direction.
    if (Math.abs(now - lastLookAt) > GAP_MS) watch = { ...watch, listeningSince: now }
    lastLookAt = now
    const heard = active.map(({ id, lastHeartbeatAt }) => ({ id, lastHeartbeatAt: lastHeartbeatAt?.getTime() ?? 0 }))
    const verdict = judgeSilence(heard, watch, now)
    watch = verdict.watch
    for (const id of verdict.unresponsive) await declareUnresponsive(id, new Date(now))
    if (!verdict.breaker) return
    log.warn({ breaker: verdict.breaker, active: active.length }, 'many toolboxes fell silent at once')
    if (verdict.breaker === 'frozen') await announceFreeze(new Set(active.map(({ accountId }) => accountId)))
  }

  /** Unless a heartbeat has come in meanwhile. */
  async function declareUnresponsive(toolboxId: string, now: Date): Promise<void> {
    await store.system(async (tx) => {
      const heardAt = toolboxes.lastHeartbeatAt
      const when = or(lt(heardAt, new Date(now.getTime() - UNRESPONSIVE_MS + 1)), gt(heardAt, now))!
      const reason = `No heartbeat for ${UNRESPONSIVE_MS / 1_000} seconds`
      const row = await moveTo(tx, toolboxId, { to: 'unresponsive', reason, now, when })
      if (!row) return
      const message = `${row.name} is unresponsive: no heartbeat since ${row.lastHeartbeatAt?.toISOString()}`
      await recordActivity(tx, {
        accountId: row.accountId,
        actor: 'control plane',
        action: 'toolbox.unresponsive',
        subject: toolboxId,
        toolboxId,
        message,
      })
    })
  }

  async function announceFreeze(accounts: ReadonlySet<string>): Promise<void> {
    const message =
      'Many toolboxes fell silent at once: their status is held for up to 5 minutes, the cause may be ours'
    for (const accountId of accounts)
      await store.system((tx) =>
        recordActivity(tx, {
          accountId,
          actor: 'control plane',
          action: 'toolbox.silence-held',
          subject: accountId,
          message,
        }),
      )
  }

  async function run(): Promise<void> {
    let failing = false
    while (!signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, signal)
      if (signal.aborted) return
      try {
        await look()
        failing = false
      } catch (error) {
        if (!failing) log.error({ err: error }, 'liveness look failed')
        failing = true
      }
    }
  }

  return { listeningSince: () => watch.listeningSince, look, stopped: run() }
}
