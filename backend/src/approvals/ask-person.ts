import { ProblemError, problem } from '@agentopia/api'
import type { Log } from '../log.ts'
import type { Store } from '../store/connect.ts'
import type { approvals } from '../store/schema/index.ts'
import type { Sealer } from '../store/seal.ts'
import {
  askedArgumentsOf,
  endAbandoned,
  endApproval,
  findApproval,
  holdApprovals,
  insertApproval,
} from './approval.store.ts'
import { maskArguments } from './mask.ts'

type ApprovalRow = typeof approvals.$inferSelect

/** A call that is permitted when a person says so. */
interface Question
  extends Pick<
    ApprovalRow,
    | 'accountId'
    | 'agentId'
    | 'agentName'
    | 'toolbeltItemId'
    | 'instanceName'
    | 'capability'
    | 'readOnly'
    | 'destructive'
    | 'callId'
    | 'via'
    | 'argumentDigest'
    | 'argumentBytes'
  > {
  readonly args: Readonly<Record<string, unknown>>
}

interface Wait {
  /** Takes the question back; rejects with its reason. */
  readonly signal: AbortSignal
  /** At once and every few seconds: it is still waited. */
  readonly onWaiting?: () => void
}

/**
 * Waits until a person decides.
 * @returns Who said yes.
 * @throws {DeniedByPerson} Somebody said no. @throws {ProblemError} `approval-timeout`, `rate-limited`, `store-unavailable`;
 *   or the signal's reason.
 */
export type AskPerson = (question: Question, wait: Wait) => Promise<string>

export interface Asking {
  readonly ask: AskPerson
  /** Something was decided, perhaps about a call that waits here. */
  heard(): void
  /** Resolves after the signal, when nothing waits any more and what waited is called ended. */
  readonly stopped: Promise<void>
}

/** Somebody said no. */
export class DeniedByPerson extends ProblemError {
  readonly decidedBy: string

  constructor(decidedBy: string, reason: string | null) {
    const { code, kind, message } = problem(
      'approval-denied',
      reason === null ? `${decidedBy} denied this call` : `${decidedBy} denied this call: ${reason}`,
    )
    super(code, kind, message)
    this.decidedBy = decidedBy
  }
}

/** A decision whose announcement was lost is found within this time; so long is the life sign of this process good many times. */
const LOOK_MS = 2_000
const STILL_WAITING_MS = 5_000
/** What was left by a process that is no more is called so within this time. */
const SWEEP_MS = 10_000

export interface AskingDeps {
  readonly store: Pick<Store, 'tenant' | 'system'>
  readonly sealer: Pick<Sealer, 'seal'>
  readonly newId: (prefix: 'appr') => string
  /** Identifier of this replica's process. */
  readonly owner: string
  readonly log: Log
  /** Ends every wait. */
  readonly signal: AbortSignal
  readonly lookMs?: number
}

/** Holds calls until somebody decides about them. The question is in the database, for every replica; the call waits here. */
export function createAsking(deps: AskingDeps): Asking {
  const { store, sealer, newId, owner, log, signal: stopping, lookMs = LOOK_MS } = deps
  const waiting = new Map<string, () => void>()
  const endings = new Set<Promise<unknown>>()
  let looking: NodeJS.Timeout | undefined
  let isReading = false
  let heardMore = false

  /** Says that the calls are held here, and looks at those that somebody has decided about. */
  async function look(): Promise<void> {
    const asked = [...waiting] // what begins to wait meanwhile is not in the answer
    const open = new Set(await store.system((tx) => holdApprovals(tx, owner)))
    for (const [id, changed] of asked) if (!open.has(id)) changed()
  }

  /** Many announcements at once are read once, or twice: what came while one was read is read after it. */
  async function lookUntilQuiet(): Promise<void> {
    do {
      heardMore = false
      await look()
    } while (heardMore)
  }

  function lookLater(): void {
    if (looking || waiting.size === 0) return
    looking = setTimeout(() => {
      look()
        .catch((err: unknown) =>
          log.warn({ err }, 'calls that wait for a person not looked at; tried again in a moment'),
        )
        .finally(() => {
          looking = undefined
          lookLater()
        })
    }, lookMs)
  }

  /** What became of it is written down, also when nobody waits for that any more. */
  function end(id: string, state: 'expired' | 'withdrawn', reason: string): Promise<boolean> {
    const ending = store.system((tx) => endApproval(tx, id, state, reason))
    endings.add(ending)
    const ended = () => endings.delete(ending)
    ending.then(ended, ended)
    return ending
  }

  const ask: AskPerson = async ({ args, ...question }, { signal, onWaiting }) => {
    const { accountId } = question
    const id = newId('appr')
    const sealed = sealer.seal(maskArguments(args), askedArgumentsOf({ id, accountId }))
    const waitMs = await store.tenant(accountId, (tx) =>
      insertApproval(tx, { ...question, id, owner, arguments: sealed }),
    )
    const { promise: over, resolve, reject } = Promise.withResolvers<void>()
    const takenBack = () => reject(signal.reason)
    const stops = () => reject(new Stopping())
    const late = setTimeout(() => reject(new TooLate()), waitMs)
    const alive = onWaiting && setInterval(onWaiting, STILL_WAITING_MS)
    waiting.set(id, resolve)
    lookLater()
    signal.addEventListener('abort', takenBack)
    stopping.addEventListener('abort', stops)
    if (signal.aborted) takenBack()
    if (stopping.aborted) stops()
    onWaiting?.()
    try {
      await over
    } catch (error) {
      return await unanswered(id, error, waitMs)
    } finally {
      clearTimeout(late)
      clearInterval(alive)
      waiting.delete(id)
      signal.removeEventListener('abort', takenBack)
      stopping.removeEventListener('abort', stops)
    }
    return answerIn(await store.system((tx) => findApproval(tx, id)))
  }

  /** The wait ended before an answer came; one that came in the same moment counts, unless nobody waits for it. */
  async function unanswered(id: string, error: unknown, waitMs: number): Promise<string> {
    if (error instanceof TooLate) {
      if (!(await end(id, 'expired', `Nobody answered within ${waitMs / 1_000} s.`)))
        return answerIn(await store.system((tx) => findApproval(tx, id)))
      throw problem('approval-timeout', `Nobody answered within ${waitMs / 1_000} s; the call was not made`)
    }
    const isStop = error instanceof Stopping
    const reason = isStop
      ? 'The control plane stopped while the call waited; it was not made.'
      : error instanceof ProblemError
        ? error.message
        : 'The agent took the call back.'
    await end(id, isStop ? 'expired' : 'withdrawn', reason).catch((err: unknown) =>
      log.warn({ err, approvalId: id }, 'the end of a question not noted; it expires by itself'),
    )
    if (isStop) throw problem('approval-timeout', 'The control plane stops; the call was not made')
    throw error
  }

  async function sweep(): Promise<void> {
    const count = await store.system(endAbandoned)
    if (count > 0) log.info({ count }, 'questions to people expired: their calls are gone')
  }

  async function run(): Promise<void> {
    const tick = () => sweep().catch((err: unknown) => log.warn({ err }, 'questions to people not swept'))
    await tick()
    const timer = setInterval(tick, SWEEP_MS)
    await new Promise<void>((resolve) => {
      if (stopping.aborted) resolve()
      else stopping.addEventListener('abort', () => resolve(), { once: true })
    })
    clearInterval(timer)
    clearTimeout(looking)
    // Those who waited were told by the same signal; their endings are on their way.
    await new Promise((resolve) => setImmediate(resolve))
    await Promise.allSettled(endings)
  }

  return {
    ask,
    heard() {
      heardMore = true
      if (waiting.size === 0 || isReading) return
      isReading = true
      lookUntilQuiet()
        .catch((err: unknown) => log.warn({ err }, 'a decision not read; it is looked for again in a moment'))
        .finally(() => {
          isReading = false
        })
    },
    stopped: run(),
  }
}

class TooLate extends Error {
  override readonly name = 'TooLate'
}
class Stopping extends Error {
  override readonly name = 'Stopping'
}

function answerIn(row: ApprovalRow | undefined): string {
  if (row?.state === 'approved' && row.decidedBy !== null) return row.decidedBy
  if (row?.state === 'denied' && row.decidedBy !== null) throw new DeniedByPerson(row.decidedBy, row.reason)
  throw problem('approval-timeout', row?.reason ?? 'The question is gone; the call was not made')
}
