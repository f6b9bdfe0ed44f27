/** Brings one kind of resource from its observed state to its desired state, one key at a time. */
export interface Reconciler {
  readonly name: string
  /** Every key that may need work. Read at start and at each resync, so a lost wake-up costs time, not correctness. */
  list(signal: AbortSignal): Promise<readonly string[]>
  /**
   * Takes one step. Idempotent: it may run twice for one change, or again after a crash half-way.
   * It must settle soon after `signal` aborts, which also happens when its deadline passes.
   */
  reconcile(key: string, signal: AbortSignal): Promise<Outcome>
}

export type Outcome = { readonly done: true } | { readonly done: false; readonly retryAfterMs: number }

/** Nothing to do until something changes. */
export const settled: Outcome = { done: true }

/** Look again after `ms`; 0 for the next step at once. */
export const again = (ms: number): Outcome => ({ done: false, retryAfterMs: ms })
