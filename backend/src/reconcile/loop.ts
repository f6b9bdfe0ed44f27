import type { Log } from '../log.ts'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { again, type Outcome, type Reconciler } from './reconciler.ts'

export interface LoopDeps {
  /** Ends the loop: no new step begins, running ones see the abort. */
  readonly signal: AbortSignal
  /** Nothing is done before it resolves; absent: the loop begins at once. */
  readonly begin?: Promise<void>
  readonly clock: Clock
  readonly log: Log
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
  /** Milliseconds between two full lists. */
  readonly resyncMs?: number
  /** How many keys are worked on at once; one key never twice. */
  readonly concurrency?: number
  /** Milliseconds after which a step's signal aborts. */
  readonly stepDeadlineMs?: number
}

export interface Loop {
  /** Says that something about `key` may have changed. A hint: losing it costs time until the next resync. */
  wake(key: string): void
  /** Resolves when the last step has ended after the signal. Never rejects. */
  readonly stopped: Promise<void>
}

const RESYNC = '' // no resource has an empty key
/** Waiting keys are looked through at most this often, however many they are. */
const TICK_MS = 50

/** Runs `reconciler` until `signal` aborts. Level-triggered: what counts is the state that a step finds, not why it ran. */
export function runLoop(reconciler: Reconciler, deps: LoopDeps): Loop {
  const { signal, begin, clock, log, random, resyncMs = 30_000, concurrency = 8, stepDeadlineMs = 60_000 } = deps
  const ready = new Set<string>([RESYNC])
  const waiting = new Map<string, number>()
  const running = new Map<string, Promise<void>>()
  const wokenWhileRunning = new Set<string>()
  const failures = new Map<string, { readonly count: number; readonly text: string }>()
  let nextDue = Number.POSITIVE_INFINITY
  let nap = new AbortController()

  function wake(key: string): void {
    if (running.has(key)) wokenWhileRunning.add(key)
    else {
      waiting.delete(key)
      ready.add(key)
    }
    nap.abort()
  }

  function wait(key: string, ms: number): void {
    const due = Math.ceil((clock.steady() + ms) / TICK_MS) * TICK_MS
    waiting.set(key, due)
    nextDue = Math.min(nextDue, due)
  }

  function collectDue(): void {
    const now = clock.steady()
    if (now < nextDue) return
    nextDue = Number.POSITIVE_INFINITY
    for (const [key, due] of waiting) {
      if (due > now) nextDue = Math.min(nextDue, due)
      else {
        waiting.delete(key)
        ready.add(key)
      }
    }
  }

  function startReady(): void {
    for (const key of ready) {
      if (running.size >= concurrency) return
      ready.delete(key)
      running.set(key, attempt(key))
    }
  }

  async function attempt(key: string): Promise<void> {
    let outcome: Outcome
    try {
      outcome = await withDeadline((step) => (key === RESYNC ? resync(step) : reconciler.reconcile(key, step)))
      if (failures.delete(key)) log.info({ reconciler: reconciler.name, key }, 'reconcile works again')
    } catch (error) {
      outcome = again(failed(key, error))
    }
    running.delete(key)
    const atOnce = !outcome.done && outcome.retryAfterMs === 0
    if (wokenWhileRunning.delete(key) || atOnce) ready.add(key)
    else if (!outcome.done) wait(key, outcome.retryAfterMs)
    nap.abort()
  }

  /** @returns How long to wait. The same failure of the same key is logged once, however often it returns. */
  function failed(key: string, error: unknown): number {
    const before = failures.get(key)
    const count = (before?.count ?? 0) + 1
    const text = String(error)
    failures.set(key, { count, text })
    if (!signal.aborted && before?.text !== text)
      log.error({ reconciler: reconciler.name, key, count, err: error }, 'reconcile failed')
    return backoffMs(count, random)
  }

  async function resync(step: AbortSignal): Promise<Outcome> {
    for (const key of await reconciler.list(step)) if (!waiting.has(key) && !running.has(key)) ready.add(key)
    return again(resyncMs)
  }

  async function withDeadline(step: (signal: AbortSignal) => Promise<Outcome>): Promise<Outcome> {
    const ended = new AbortController()
    const limit = new AbortController()
    const stop = () => limit.abort(signal.reason)
    signal.addEventListener('abort', stop)
    void clock.sleep(stepDeadlineMs, ended.signal).then(() => {
      if (!ended.signal.aborted) limit.abort(new Error(`the step did not end within ${stepDeadlineMs} ms`))
    })
    try {
      return await step(limit.signal)
    } finally {
      ended.abort()
      signal.removeEventListener('abort', stop)
    }
  }

  async function run(): Promise<void> {
    signal.addEventListener('abort', () => nap.abort())
    await begin
    while (!signal.aborted) {
      nap = new AbortController()
      collectDue()
      startReady()
      await clock.sleep(Math.min(Math.max(nextDue - clock.steady(), 0), resyncMs), nap.signal)
    }
    await Promise.all(running.values())
  }

  return { wake, stopped: run() }
}
