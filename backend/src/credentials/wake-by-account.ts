import type { Log } from '../log.ts'
import type { Store } from '../store/connect.ts'
import { listAgentToolNames } from './agent-tool.store.ts'

export interface WakeByAccountDeps {
  readonly store: Store
  /** Wakes the reconciler of agent tools. */
  readonly wake: (name: string) => void
  readonly log: Log
  readonly signal: AbortSignal
}

/** Many rows change at once; their containers are looked at once. */
const GATHER_MS = 50

/** Something that decides about agents' own containers changed in an account: all of them are looked at, soon. */
export function wakeByAccount({ store, wake, log, signal }: WakeByAccountDeps): (accountId: string) => void {
  const gathering = new Set<string>()

  function look(accountId: string): void {
    gathering.delete(accountId)
    if (signal.aborted) return
    store
      .system((tx) => listAgentToolNames(tx, { accountId }))
      .then((names) => names.forEach(wake))
      .catch((err: unknown) => log.warn({ err, accountId }, 'agent tools not woken; the next resync does it'))
  }

  return (accountId) => {
    if (gathering.has(accountId)) return
    gathering.add(accountId)
    setTimeout(() => look(accountId), GATHER_MS).unref()
  }
}
