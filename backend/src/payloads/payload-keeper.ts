import type { PayloadRule } from '@agentopia/api'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import type { callPayloads } from '../store/schema/index.ts'
import type { Sealer } from '../store/seal.ts'
import { insertPayloads, payloadOf } from './payload.store.ts'
import { type Exchanged, keptOf } from './payload.ts'

/** Keeps what was sent and answered, where the account wants it; behind the calls' backs. */
export interface PayloadKeeper {
  keep(call: KeptCall, rule: PayloadRule, exchanged: Exchanged): void
  /** Resolves when everything kept so far is in the database, or given up. */
  flush(): Promise<void>
}

interface KeptCall {
  readonly callId: string
  readonly accountId: string
  readonly agentId: string
  readonly instanceId: string
}

export interface PayloadKeeperDeps {
  readonly store: Pick<Store, 'system'>
  readonly sealer: Sealer
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

const DAY_MS = 86_400_000
const GATHER_MS = 200
const MOST_AT_ONCE = 100
/** Bytes that wait for the database. What comes while it does not answer is not kept: the record of the call is. */
const MOST_WAITING = 64 << 20

export function createPayloadKeeper({ store, sealer, clock, log }: PayloadKeeperDeps): PayloadKeeper {
  let waiting: (typeof callPayloads.$inferInsert)[] = []
  let bytesWaiting = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  async function writeAll(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    while (waiting.length > 0) {
      const rows = waiting.slice(0, MOST_AT_ONCE)
      waiting = waiting.slice(rows.length)
      bytesWaiting -= rows.reduce((sum, { bytes }) => sum + bytes, 0)
      await store
        .system((tx) => insertPayloads(tx, rows))
        .catch((err: unknown) => log.warn({ err, calls: rows.length }, 'what was sent and answered is not kept'))
    }
  }

  function flush(): Promise<void> {
    writing = writing.then(writeAll)
    return writing
  }

  return {
    keep({ callId, accountId, agentId, instanceId }, rule, exchanged) {
      const text = JSON.stringify(keptOf(rule, exchanged))
      const bytes = Buffer.byteLength(text)
      if (bytesWaiting + bytes > MOST_WAITING)
        return log.warn({ callId }, 'what was sent and answered is not kept: too much waits for the database')
      bytesWaiting += bytes
      const keptUntil = new Date(clock.now() + rule.days * DAY_MS)
      const sealed = sealer.seal(text, payloadOf({ accountId, callId }))
      waiting.push({ callId, accountId, agentId, instanceId, sealed, bytes, keptUntil })
      timer ??= setTimeout(() => void flush(), GATHER_MS)
    },
    flush,
  }
}
