import { CallSettings, PROBLEMS, type ProblemCode, ProblemError, problem } from '@agentopia/api'
import { and, eq, isNull, lt, sql } from 'drizzle-orm'
import { ComeAgain } from '../http/come-again.ts'
import { digestOf } from '../http/idempotency.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { executeKeys } from '../store/schema/index.ts'
import type { SealedFor, Sealer } from '../store/seal.ts'
import type { BeltItem } from './authorise.ts'

type KeyRow = typeof executeKeys.$inferSelect
type Remembered<Answer> =
  | { readonly answer: Answer }
  | { readonly problem: { readonly code: string; readonly detail: string } }

/** A call that may be asked for twice. */
interface RepeatableCall {
  readonly accountId: string
  readonly agentId: string
  /** `Idempotency-Key` of the request, or what stands for it in MCP; absent: the call is made each time. */
  readonly key: string | undefined
  /** The parsed input: JSON. Doors whose answers have another form have requests of another form. */
  readonly request: unknown
  readonly timeoutMs: number
  /** How long it may wait for a person before. */
  readonly waitMs: number
}

/**
 * Makes a call once per key and agent, and gives its answer, or its failure, to every repetition within 24 hours. A call that was
 * surely not made is not remembered. The key is taken before the call: after a crash in between nobody is told that it was not made.
 * @throws {ProblemError} `idempotency-key-reused`, `call-under-way`, `call-made-before`; or what `act` throws.
 */
export type ExecuteOnce = <Answer extends object>(call: RepeatableCall, act: () => Promise<Answer>) => Promise<Answer>

/** For a person who is asked; the account may set less. */
const LONGEST_WAIT_MS = CallSettings.shape.approvalSeconds.maxValue! * 1_000
/** How long somebody may be waited for before this capability is called. */
export const waitMsOf = ({ asked }: Pick<BeltItem, 'asked'>, capability: string): number =>
  asked.has(capability) ? LONGEST_WAIT_MS : 0

/** Longer answers are not kept. In characters. */
const MOST_KEPT = 1 << 20
/** A call waits for room and then runs, each for its time at most; and some more for what is around it. */
const longestMs = (timeoutMs: number): number => 2 * timeoutMs + 10_000
const REMEMBERED = sql`interval '24 hours'`

/** Refusals before anything was sent to the tool. */
const NOT_MADE: ReadonlySet<string> = new Set<ProblemCode>([
  'agent-disabled',
  'calls-stopped',
  'capability-changed',
  'capability-denied',
  'capability-not-offered',
  'approval-timeout',
  'circuit-open',
  'instance-not-running',
  'master-key-missing',
  'missing-credential',
  'payload-too-large',
  'rate-limited',
  'store-unavailable',
  'toolbelt-item-disabled',
  'toolbox-access-missing',
])

export interface ExecuteOnceDeps {
  readonly store: Pick<Store, 'tenant'>
  readonly sealer: Sealer
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

/** A kept answer opens only for its agent and key. */
export const keptAnswerOf = ({ accountId, agentId, key }: Pick<KeyRow, 'accountId' | 'agentId' | 'key'>) =>
  ({ purpose: 'call-answer', accountId, recordId: JSON.stringify([agentId, key]) }) as const satisfies SealedFor

export function createExecuteOnce({ store, sealer, clock, log }: ExecuteOnceDeps): ExecuteOnce {
  return async <Answer extends object>(
    { accountId, agentId, key, request, timeoutMs, waitMs }: RepeatableCall,
    act: () => Promise<Answer>,
  ): Promise<Answer> => {
    if (key === undefined) return act()
    const row = and(eq(executeKeys.agentId, agentId), eq(executeKeys.key, key))
    const sealedFor = keptAnswerOf({ accountId, agentId, key })
    const until = new Date(clock.now() + waitMs + longestMs(timeoutMs))
    const claim = { accountId, agentId, key, requestDigest: digestOf(request), until }

    const known = await store.tenant(accountId, async (tx) => {
      await tx.delete(executeKeys).where(and(row, lt(executeKeys.createdAt, sql`now() - ${REMEMBERED}`)))
      const claimed = await tx.insert(executeKeys).values(claim).onConflictDoNothing().returning()
      return claimed.length === 1 ? undefined : (await tx.select().from(executeKeys).where(row))[0]
    })
    if (known) return repeated(known)

    /** The call is over. That its answer is not kept harms nobody but a repetition, which is told so. */
    const settle = (change: (tx: Tx) => Promise<unknown>) =>
      store
        .tenant(accountId, change)
        .catch((err: unknown) => log.warn({ err, agentId }, 'answer to an Idempotency-Key not kept'))
    const keep = (remembered: Remembered<Answer>) => {
      const text = JSON.stringify(remembered)
      const kept = text.length > MOST_KEPT ? { until: new Date(0) } : { answer: sealer.seal(text, sealedFor) }
      return settle((tx) => tx.update(executeKeys).set(kept).where(row))
    }

    try {
      const answer = await act()
      await keep({ answer })
      return answer
    } catch (error) {
      if (!(error instanceof ProblemError))
        await settle((tx) =>
          tx
            .update(executeKeys)
            .set({ until: new Date(0) })
            .where(row),
        )
      else if (NOT_MADE.has(error.code))
        await settle((tx) => tx.delete(executeKeys).where(and(row, isNull(executeKeys.answer))))
      else await keep({ problem: { code: error.code, detail: error.message } })
      throw error
    }

    function repeated({ requestDigest, answer, until: underWayUntil }: KeyRow): Answer {
      if (requestDigest !== claim.requestDigest)
        throw problem('idempotency-key-reused', 'This Idempotency-Key came before with another request')
      if (answer === null) {
        if (underWayUntil.getTime() > clock.now())
          throw new ComeAgain('call-under-way', 'The first call with this Idempotency-Key has not ended', 1)
        throw problem('call-made-before', 'The answer to the first call with this Idempotency-Key is not kept')
      }
      const remembered = JSON.parse(sealer.open(answer, sealedFor)) as Remembered<Answer>
      if ('answer' in remembered) return remembered.answer
      const { code, detail } = remembered.problem
      throw new ProblemError(code, PROBLEMS[code as ProblemCode], detail)
    }
  }
}

/** Characters of sealed answers that are kept for one agent, the newest first. */
const MOST_KEPT_OF_AGENT = 64 << 20

/**
 * Forgets the answers of an agent that has more of them than are kept. Their keys stay: whoever repeats such a call hears that it was made.
 * @returns how many answers were forgotten.
 */
export async function forgetManyAnswers(tx: Tx, most: number = MOST_KEPT_OF_AGENT): Promise<number> {
  const { rowCount } = await tx.execute(sql`
    update execute_keys set answer = null, until = to_timestamp(0)
    where (agent_id, key) in (
      select agent_id, key from (
        select agent_id, key, sum(length(answer)) over (partition by agent_id order by created_at desc, key) as kept
        from execute_keys where answer is not null
      ) as answers where kept > ${most}
    )`)
  return rowCount ?? 0
}

/** Forgets what is older than a day. @returns how many answers were forgotten. */
export async function forgetOldExecuteKeys(tx: Tx): Promise<number> {
  const gone = await tx
    .delete(executeKeys)
    .where(lt(executeKeys.createdAt, sql`now() - ${REMEMBERED}`))
    .returning({ key: executeKeys.key })
  return gone.length
}
