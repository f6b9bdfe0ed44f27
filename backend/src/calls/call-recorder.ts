import { problem } from '@agentopia/api'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { isRefusedValue } from '../store/database-error.ts'
import { noteLastCall } from './call.store.ts'
import type { CallJournal } from './call-journal.ts'
import type { BegunCall, CallEnd, CallRecord } from './call-record.ts'
import { appendCalls } from './chain.store.ts'
import type { ChainSeal } from './chain-seal.ts'

/** Keeps the record of calls. No record, no call. */
export interface CallRecorder {
  /** Holds when it resolves, whatever happens to this process. @throws {ProblemError} `store-unavailable`: the call must not be made. */
  begin(call: BegunCall): Promise<void>
  /** How the call went: holds when it resolves, and is in the database a moment later. Never throws: what was done is done. */
  end(id: string, end: CallEnd): Promise<void>
  /** Resolves when every call that ended before is in the database. @throws when the database does not take them. */
  flush(): Promise<void>
  /** Writes what there is and ends. What the database does not take stays in the journal for the next start. */
  stop(): Promise<void>
}

export interface CallRecorderDeps {
  readonly store: Pick<Store, 'system'>
  readonly journal: CallJournal
  readonly seal: ChainSeal
  readonly clock: Pick<Clock, 'steady'>
  readonly log: Log
  /** How long ended calls gather before they are written together. */
  readonly gatherMs?: number
}

const MOST_AT_ONCE = 1_000
/** Calls that are not in the database yet. With more, no further call is made until it answers again. */
const MOST_UNSETTLED = 50_000
const RETRY_MS = 1_000
const NOTED_EVERY_MS = 5_000

/** The database gets calls in groups, behind the calls' backs: one commit costs as much as hundreds of calls. */
export function createCallRecorder(deps: CallRecorderDeps): CallRecorder {
  const { store, journal, seal, clock, log, gatherMs = 200 } = deps
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let following: Promise<void> | undefined
  let stopped = false
  const noted = new Set<string>()
  let notedSince = clock.steady()

  function later(ms: number): void {
    if (timer || stopped) return
    timer = setTimeout(() => {
      timer = undefined
      flush().catch((err: unknown) => {
        log.warn({ err, waiting: journal.size }, 'calls not recorded yet; tried again in a second')
        later(RETRY_MS)
      })
    }, ms)
  }

  function flush(): Promise<void> {
    if (!writing) {
      writing = writeAll()
      return writing
    }
    // What ended since the last group was taken may not be in it.
    following ??= writing
      .catch(() => {}) // whoever began it hears of it; what it did not write is tried again here
      .then(() => {
        following = undefined
        return flush()
      })
    return following
  }

  /** What ended before the last group was taken. The rest gathers: followed closely, each commit would find a call or two. */
  async function writeAll(): Promise<void> {
    await undefined // `writing` is set before it is cleared
    try {
      for (let isLast = false; !isLast; ) {
        const batch = journal.ended(MOST_AT_ONCE)
        if (batch.length === 0) return
        isLast = batch.length < MOST_AT_ONCE
        await write(batch)
        journal.settle(batch.length)
      }
    } finally {
      writing = undefined
    }
  }

  async function write(batch: readonly CallRecord[]): Promise<void> {
    try {
      await store.system((tx) => appendCalls(tx, batch, seal))
    } catch (error) {
      if (!isRefusedValue(error)) throw error
      await writeEach(batch)
    }
    await noteAgents(new Set(batch.map(({ agentId }) => agentId)))
  }

  /** When an agent called last is read by people: every few seconds is often enough. */
  async function noteAgents(agentIds: Set<string>): Promise<void> {
    const now = clock.steady()
    if (now - notedSince > NOTED_EVERY_MS) {
      noted.clear()
      notedSince = now
    }
    const news = [...agentIds].filter((id) => !noted.has(id))
    if (news.length === 0) return
    for (const id of news) noted.add(id)
    await store
      .system((tx) => noteLastCall(tx, news))
      .catch((err: unknown) => log.warn({ err }, 'last call of agents not noted'))
  }

  /** A record whose texts the database refuses takes no other with it, and is written with texts that it takes. */
  async function writeEach(batch: readonly CallRecord[]): Promise<void> {
    for (const record of batch)
      await store
        .system((tx) => appendCalls(tx, [record], seal))
        .catch(async (err: unknown) => {
          if (!isRefusedValue(err)) throw err
          log.error({ err, callId: record.id }, 'the database refuses the record of a call as it is')
          await store.system((tx) => appendCalls(tx, [withPlainTexts(record)], seal))
        })
  }

  later(0) // what an earlier process left

  return {
    async begin(call) {
      if (journal.size >= MOST_UNSETTLED)
        throw problem('store-unavailable', 'Too many calls wait to be recorded; no further one is made')
      try {
        await journal.begin(call)
      } catch (cause) {
        throw problem('store-unavailable', 'The call could not be recorded, so it was not made', { cause })
      }
    },
    async end(id, end) {
      later(gatherMs)
      try {
        await journal.end(id, end)
      } catch (err) {
        log.error({ err, callId: id }, 'end of a call not written to the journal')
      }
    },
    flush,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await flush().catch((err: unknown) => log.warn({ err }, 'calls stay in the journal until the next start'))
      journal.close()
    },
  }
}

/** No text of PostgreSQL holds a NUL, and none of UTF-8 half a character. */
const withPlainTexts = (record: CallRecord): CallRecord =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value,
    ]),
  ) as unknown as CallRecord
