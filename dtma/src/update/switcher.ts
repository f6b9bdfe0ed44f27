import type { Log } from '../log.ts'
import { UpdateFailure } from './download.ts'
import { type Move, nextMove, type UpdateFacts } from './next-move.ts'
import type { Proof, UpdateFiles, UpdateJournal } from './update.journal.ts'

/**
 * The two places that a DTMA can be in, as whoever supervises them has them: containers, or services of the system. Every
 * act may be repeated and succeeds when its work is already done.
 */
export interface Slots {
  look(signal: AbortSignal): Promise<Pick<UpdateFacts, 'old' | 'next'>>
  /** @throws {UpdateFailure} When that can never be done. */
  makeNext(signal: AbortSignal): Promise<void>
  startNext(signal: AbortSignal): Promise<void>
  removeNext(signal: AbortSignal): Promise<void>
  startOld(signal: AbortSignal): Promise<void>
  stopOld(signal: AbortSignal): Promise<void>
  removeOld(signal: AbortSignal): Promise<void>
  /** The last act: the new one gets the name of the old one. */
  settle(signal: AbortSignal): Promise<void>
}

export interface SwitcherDeps {
  readonly files: UpdateFiles
  readonly slotsOf: (journal: UpdateJournal) => Slots
  readonly log: Log
  readonly now: () => number
  readonly date: () => Date
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

const LOOK_MS = 500
const RETRY_MS = 2_000
const STEP_MS = 60_000

/**
 * Replaces one DTMA by another, and the other by the one when it does not prove itself. Killed at any moment and started
 * again, it goes on from what it finds. Resolves when the update is over, or is not the switcher's.
 */
export async function runSwitcher(deps: SwitcherDeps, signal: AbortSignal): Promise<UpdateJournal | undefined> {
  const { files, log, now, sleep } = deps
  let provingSince: number | undefined
  while (!signal.aborted) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)])
    try {
      const journal = await files.journal.read()
      if (!journal) return undefined
      const slots = deps.slotsOf(journal)
      if (journal.phase === 'proving') provingSince ??= now()
      const proof = await proofOf(files, journal)
      const waitedMs = provingSince === undefined ? 0 : now() - provingSince
      const move = nextMove({
        phase: journal.phase,
        ...(await slots.look(limit)),
        ...(proof ? { proof } : {}),
        waitedMs,
      })
      if (move.kind === 'leave') return journal
      if (move.kind === 'wait') await sleep(LOOK_MS, signal)
      else await act(deps, slots, journal, move, limit)
    } catch (error) {
      if (signal.aborted) break
      log.warn('a step of the update failed; it is tried again', { error })
      await sleep(RETRY_MS, signal)
    }
  }
  return undefined
}

async function act(
  { files, log, date }: SwitcherDeps,
  slots: Slots,
  journal: UpdateJournal,
  move: Exclude<Move, { kind: 'wait' | 'leave' }>,
  limit: AbortSignal,
): Promise<void> {
  log.info('update', { move: move.kind, version: journal.version })
  const note = (change: Partial<UpdateJournal>) =>
    files.journal.write({ ...journal, since: date().toISOString(), ...change })
  switch (move.kind) {
    case 'make-next':
      return slots.makeNext(limit).catch((error: unknown) => {
        if (!(error instanceof UpdateFailure)) throw error
        return note({ phase: 'falling_back', reason: error.reason, message: error.message })
      })
    case 'stop-old':
      return slots.stopOld(limit)
    case 'start-next':
      return slots.startNext(limit)
    case 'remove-old':
      return slots.removeOld(limit)
    case 'remove-next':
      return slots.removeNext(limit)
    case 'start-old':
      return slots.startOld(limit)
    case 'enter':
      return note({ phase: move.phase })
    case 'fall-back':
      return note({ phase: 'falling_back', reason: move.reason, message: move.message })
    case 'finish':
      if (move.phase === 'done') await slots.settle(limit)
      return note({ phase: move.phase })
  }
}

/** Of another attempt it proves nothing. */
async function proofOf(files: UpdateFiles, { attempt }: UpdateJournal): Promise<Proof | undefined> {
  const proof = await files.proof.read()
  return proof?.attempt === attempt ? proof : undefined
}
