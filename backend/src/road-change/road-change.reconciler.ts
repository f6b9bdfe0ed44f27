import { isDeepStrictEqual } from 'node:util'
import { type Direct, ProblemError, ROAD_NAMES } from '@agentopia/api'
import { type Client, DTMA_PORT, isLoopback } from '@agentopia/dtma/contract'
import { recordActivity } from '../events/activity.store.ts'
import { DigitalOceanError } from '../providers/digitalocean/digitalocean-error.ts'
import type { DropletDoor } from '../providers/digitalocean/droplet.door.ts'
import type { Clock } from '../reconcile/clock.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import { createRetries } from '../reconcile/retries.ts'
import { createTimeSpent } from '../reconcile/time-spent.ts'
import type { Store, Tx } from '../store/connect.ts'
import type { RoadAsked, RoadProgress } from '../store/schema/toolboxes.ts'
import type { Roads } from '../toolboxes/roads.ts'
import { findToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { afterTry, afterUnshut, nextStep, type RoadFailure, roadOf, whileClosing } from './road-change.step.ts'
import { listRoadChanges, moveRoad, type RoadColumns } from './road-change.store.ts'
import { tellRoad, type Wish } from './road-change.tell.ts'
import { tryRoad } from './road-change.trial.ts'

export interface RoadChangeReconcilerDeps {
  readonly store: Store
  readonly clock: Clock
  /** Returns 0 to 1, as `Math.random` does. */
  readonly random: () => number
  /** @throws {ProblemError} `toolbox-unreachable` when there is no way to it now. */
  readonly clientOf: (toolbox: ToolboxRow) => Client
  readonly roads: Pick<Roads, 'inFlight' | 'closeDirect'>
  /** The firewall of its machine, where that is ours to change. */
  readonly doorOf: (provider: ToolboxRow['provider']) => DropletDoor | undefined
}

const TRY_MS = 2_000
const LOOK_MS = 500
const RETRY_MS = 5_000
/** It is woken when a road opens; until then it looks itself, a few times in the first minutes and later a few times an hour. */
const UNDO = { firstMs: 15_000, longestMs: 20 * 60_000 }

/**
 * Changes the road of a toolbox: opens the new one beside the one in use, uses it when DTMA has answered there, and closes the other.
 * Without a lease: each step may be repeated, whoever does it, and what is written is written from the phase that was seen.
 */
export function roadChangeReconciler(deps: RoadChangeReconcilerDeps): Reconciler {
  const { store, clock, random, clientOf, roads, doorOf } = deps
  const spent = createTimeSpent(clock)
  /** Of each toolbox that cannot be told to undo it. */
  const untold = createRetries({ clock, random, ...UNDO })
  const elapsedMs = ({ id, roadAsked }: ToolboxRow, phase: 'try' | 'close' | 'undo'): number =>
    spent.on(id, `${roadAsked!.attempt} ${phase}`)

  async function step(row: ToolboxRow, signal: AbortSignal): Promise<Outcome> {
    switch (nextStep(row)) {
      case 'try':
        return tryIt(row, signal)
      case 'close':
        return close(row, signal)
      case 'undo':
        return undo(row, signal)
      case 'settled':
        return settled
    }
  }

  async function tryIt(row: ToolboxRow, signal: AbortSignal): Promise<Outcome> {
    untold.forget(row.id)
    const triedMs = elapsedMs(row, 'try')
    const asked = row.roadAsked!
    const found = await open(row, asked, signal)
    const { failure, direct, publicKey } = found
    switch (afterTry(failure, triedMs)) {
      case 'use':
        await move(row, { phase: 'closing', from: row.direct }, { direct, publicKey })
        return again(0)
      case 'again':
        if (found.isOpen && row.roadProgress?.attempt !== asked.attempt) await move(row, { phase: 'trying' })
        return again(TRY_MS)
      case 'give-up':
        await move(row, { phase: 'undoing', failure: wordsOf(failure!) })
        return again(0)
    }
  }

  interface Tried extends Required<RoadColumns> {
    readonly failure: RoadFailure | undefined
    /** DTMA has opened both. */
    readonly isOpen: boolean
  }

  /** The firewall, then DTMA, then the question over the new road. */
  async function open(row: ToolboxRow, asked: RoadAsked, signal: AbortSignal): Promise<Tried> {
    const before = { direct: row.direct, publicKey: row.publicKey, isOpen: false }
    try {
      if (asked.road === 'direct') await doorOf(row.provider)?.open(row, asked.port ?? DTMA_PORT, signal)
    } catch (error) {
      return { ...before, failure: notOpened(error) }
    }
    const told = await tell(row, { road: 'both', reach: reachOf(asked.address) }, signal)
    // Where the road in use does not carry it now, the other one may be open all the same.
    if (told instanceof ProblemError && told.code !== 'toolbox-unreachable')
      return { ...before, failure: notOpened(told) }
    const port = asked.port ?? (told instanceof ProblemError ? DTMA_PORT : told.port)
    const { address } = asked
    const direct: Direct | null =
      asked.road === 'tunnel' ? null : { ...(address ? { address } : {}), port, plainHttp: false }
    // Known since the enrolment; else it is learned here, over the road that the credentials opened, and not from whoever is dialled.
    const publicKey = row.publicKey ?? (told instanceof ProblemError ? null : told.publicKey)
    const failure = await tryRoad({ ...row, direct, publicKey }, clientOf, signal)
    const unheard = told instanceof ProblemError ? [`DTMA was not told to open it: ${told.message}`] : []
    return {
      direct,
      publicKey,
      isOpen: unheard.length === 0,
      failure: failure && { ...failure, evidence: [...unheard, ...failure.evidence] },
    }
  }

  const tell = (row: ToolboxRow, wish: Wish, signal: AbortSignal) => tellRoad(() => clientOf(row), wish, signal)

  async function close(row: ToolboxRow, signal: AbortSignal): Promise<Outcome> {
    const closingMs = elapsedMs(row, 'close')
    const { road } = row.roadAsked!
    const { from = null } = row.roadProgress!
    const inFlight = roads.inFlight(row.id, road === 'direct' ? 'tunnel' : 'direct')
    if (whileClosing({ inFlight, closingMs }) === 'wait') return again(LOOK_MS)
    const told = await tell(row, wishOf(row), signal)
    if (told instanceof ProblemError) {
      if (whileClosing({ inFlight, closingMs, failed: true }) === 'wait') return again(RETRY_MS)
      const failure = {
        reason: 'lost_again',
        message: 'The new road was proven, and lost again before the one before was closed',
        evidence: [told.message],
        nextStep: 'Refresh the status of the toolbox, and ask again when its machine and its network are steady.',
      }
      await move(row, { phase: 'undoing', failure }, { direct: from })
      return again(0)
    }
    const unshut = road === 'tunnel' ? await shut(row, from?.port, signal) : undefined
    if (unshut && afterUnshut(unshut.isFinal, closingMs) === 'again') return again(RETRY_MS)
    return finish(row, { phase: 'done' }, unshut?.words)
  }

  async function undo(row: ToolboxRow, signal: AbortSignal): Promise<Outcome> {
    const undoingMs = elapsedMs(row, 'undo')
    const { road, port } = row.roadAsked!
    const { failure } = row.roadProgress!
    const told = await tell(row, wishOf(row), signal)
    // An early version was never told to open anything.
    const isUntold = told instanceof ProblemError && told.code !== 'not-found'
    const dueInMs = untold.dueInMs(row.id)
    if (isUntold && dueInMs > 0) return again(dueInMs)
    // Whatever DTMA says: behind the firewall nobody comes to its port.
    const unshut = road === 'direct' ? await shut(row, port, signal) : undefined
    if (isUntold) {
      await noteOpen(row, [`DTMA could not be told to close it: ${told.message}`, ...(unshut ? [unshut.words] : [])])
      return again(untold.failed(row.id))
    }
    if (unshut && afterUnshut(unshut.isFinal, undoingMs) === 'again') return again(RETRY_MS)
    return finish(row, { phase: 'failed', ...(failure ? { failure } : {}) }, unshut?.words)
  }

  /** People see it for as long as it lasts. */
  async function noteOpen(row: ToolboxRow, open: readonly string[]): Promise<void> {
    const progress = row.roadProgress!
    if (!isDeepStrictEqual(progress.open, open)) await store.system((tx) => moveRoad(tx, row, { ...progress, open }))
  }

  /** What we dialled, and the firewall behind it. @returns why that is open still. */
  async function shut(row: ToolboxRow, port = DTMA_PORT, signal: AbortSignal): Promise<Unshut | undefined> {
    roads.closeDirect(row.id)
    const door = doorOf(row.provider)
    try {
      await door?.close(row, signal)
    } catch (error) {
      return unshutOf(error, port, door!.tag)
    }
  }

  async function finish(row: ToolboxRow, change: Change, unshut: string | undefined): Promise<Outcome> {
    await store.system(async (tx) => {
      if (await moveRoad(tx, row, progressOf(row, change))) await tellPeople(tx, row, change, unshut)
    })
    return settled
  }

  type Change = Omit<RoadProgress, 'attempt' | 'at'>

  const progressOf = (row: ToolboxRow, change: Change): RoadProgress => ({
    ...change,
    attempt: row.roadAsked!.attempt,
    at: new Date(clock.now()).toISOString(),
  })

  const move = (row: ToolboxRow, change: Change, columns: RoadColumns = {}) =>
    store.system((tx) => moveRoad(tx, row, progressOf(row, change), columns))

  return {
    name: 'road',
    async list() {
      const ids = await store.system(listRoadChanges)
      spent.forgetAllBut(ids)
      return ids
    },
    async reconcile(id, signal) {
      const row = await store.system((tx) => findToolbox(tx, id))
      const outcome = row && !row.deletedAt ? await step(row, signal) : settled
      if (outcome.done) {
        spent.forget(id)
        untold.forget(id)
      }
      return outcome
    },
  }
}

/** What DTMA is to have when nothing is tried any more. */
const wishOf = (row: ToolboxRow): Wish => ({ road: roadOf(row), reach: reachOf(row.direct?.address) })

/** Whoever is dialled on the machine of the control plane itself need not be open to others. */
const reachOf = (address: string | undefined): 'network' | 'machine' =>
  address !== undefined && isLoopback(address) ? 'machine' : 'network'

const wordsOf = ({ reason, message, evidence, nextStep }: RoadFailure): NonNullable<RoadProgress['failure']> => ({
  reason,
  message,
  evidence: [...evidence],
  nextStep,
})

/** Neither side of the new road could be opened. */
function notOpened(error: unknown): RoadFailure {
  if (error instanceof DigitalOceanError)
    return {
      reason: 'firewall',
      message: 'The firewall of its droplet could not be opened',
      evidence: [error.message],
      nextStep:
        'Read what DigitalOcean answered: its token may lack a right, or a limit may be reached. Then ask again.',
      isFinal: isFinalRefusal(error),
    }
  if (!(error instanceof ProblemError)) throw error
  if (error.code === 'not-found')
    return {
      reason: 'unsupported-version',
      message: 'This DTMA cannot change its road yet',
      evidence: [error.message],
      nextStep: 'Update DTMA on the toolbox first.',
      isFinal: true,
    }
  return {
    reason: error.code,
    message: error.message,
    evidence: [],
    nextStep: error.kind.fix,
    isFinal: !error.kind.retryable,
  }
}

interface Unshut {
  /** For people: what is open, why, and what to do. */
  readonly words: string
  /** Trying again ends the same. */
  readonly isFinal: boolean
}

function unshutOf(error: unknown, port: number, tag: string): Unshut {
  if (!(error instanceof DigitalOceanError) && !(error instanceof ProblemError)) throw error
  const todo = `Take the tag ${tag} from the droplet at DigitalOcean, and give this control plane a token that may.`
  return {
    words: `Port ${port} is still open in the firewall of its droplet. ${error.message}. ${todo}`,
    isFinal: error instanceof ProblemError || isFinalRefusal(error),
  }
}

const isFinalRefusal = ({ kind }: DigitalOceanError): boolean => kind !== 'limited' && kind !== 'unknown'

function tellPeople(
  tx: Tx,
  row: ToolboxRow,
  { phase, failure }: { phase: string } & Pick<RoadProgress, 'failure'>,
  unshut: string | undefined,
) {
  const { id, accountId, name, roadAsked } = row
  const isDone = phase === 'done'
  const { road, actor } = roadAsked!
  const asker = `asked for by ${actor}`
  const said = isDone
    ? [`${name} is reached by the ${ROAD_NAMES[road]} now, ${asker}`]
    : [`${name} keeps its road: the ${ROAD_NAMES[road]}, ${asker}, did not come up`, failure?.message]
  return recordActivity(tx, {
    accountId,
    actor: 'control plane',
    action: isDone ? 'toolbox.road-changed' : 'toolbox.road-kept',
    subject: id,
    toolboxId: id,
    message: [...said, unshut].filter((part) => part !== undefined).join('. '),
  })
}
