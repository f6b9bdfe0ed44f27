import { rm } from 'node:fs/promises'
import { problem } from '../contract/problems.ts'
import { type InstallationKind, isOver, Release, type SignedRelease, type UpdateState } from '../contract/release.ts'
import { createTurn } from '../in-turn.ts'
import type { Log } from '../log.ts'
import { type Download, download, UpdateFailure } from './download.ts'
import { openRelease } from './open-release.ts'
import { isComplete, kindOf, type Proof, stateOf, type UpdateFiles, type UpdateJournal } from './update.journal.ts'

/** How this DTMA was installed, as far as replacing it goes. */
export interface Installation {
  readonly kind: InstallationKind
  /** Where the part of the release that is for this installation comes from. @throws {ProblemError} `update-unavailable` */
  sourceOf(release: Release): Pick<Download, 'url' | 'size' | 'sha256'>
  /** Makes what was fetched ready to be started. @throws {UpdateFailure} */
  prepare(file: string, release: Release, signal: AbortSignal): Promise<NonNullable<UpdateJournal['switch']>>
  /** Starts whoever replaces us, unless he is at work already. */
  ensureSwitcher(signal: AbortSignal): Promise<void>
  /** Whether this process is the one that is to be replaced. @throws {Error} While that cannot be told. */
  isOld(journal: UpdateJournal, signal: AbortSignal): Promise<boolean>
}

export interface SelfUpdateDeps {
  readonly files: UpdateFiles
  readonly version: string
  /** `undefined`: nobody has told whose releases are good. */
  readonly releaseKey: () => string | undefined
  readonly pins?: () => Download['pins']
  /** @throws {ProblemError} `update-unavailable` when this DTMA cannot be replaced from within. */
  readonly installation: (signal: AbortSignal) => Promise<Installation>
  readonly evidence: (signal: AbortSignal) => Promise<Omit<Proof, 'attempt'>>
  readonly onChange: () => void
  readonly log: Log
  readonly date: () => Date
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
}

export interface SelfUpdate {
  /** The last one. */
  readonly state: UpdateState | undefined
  /** Accepts a release, and begins. The same attempt again is answered with how far it is. @throws {ProblemError} */
  request(attempt: string, release: SignedRelease): Promise<UpdateState>
  readonly stopped: Promise<void>
}

const LOOK_MS = 500
const RETRY_MS = 5_000
const MOST_DOWNLOADS = 10
/** Loading was begun so often, and DTMA died of it each time. */
const MOST_TRIES = 5
const LOADING_MS = 1_800_000
/** After so long the switcher is looked for again. */
const FOLLOW_MS = 10_000

/** DTMA's own part in replacing itself: it fetches and checks, hands over, and afterwards shows that it works. */
export async function openSelfUpdate(deps: SelfUpdateDeps): Promise<SelfUpdate> {
  const { files, version, log, date, sleep, signal } = deps
  let journal = await files.journal.read()
  let percent: number | undefined
  const turn = createTurn()
  let working: Promise<void> = Promise.resolve()

  async function note(change: Partial<UpdateJournal>): Promise<UpdateJournal> {
    const next = { ...journal!, since: date().toISOString(), ...change }
    await files.journal.write(next)
    journal = next
    deps.onChange()
    return next
  }

  const over = () => journal === undefined || isOver(stateOf(journal).phase)

  async function accept(attempt: string, signed: SignedRelease): Promise<UpdateState> {
    if (journal?.attempt === attempt) return stateOf(journal, percent)
    if (!over()) throw problem('update-running', `The update to ${journal!.version} is under way`)
    const key = deps.releaseKey()
    if (key === undefined)
      throw problem('update-unavailable', 'This DTMA was given no key that releases are signed with when it enrolled')
    const release = openRelease(signed, { key, running: version, attempt })
    const installation = await deps.installation(signal)
    installation.sourceOf(release) // refused now, while somebody hears it
    const { manifest, signature } = signed
    const begun = { attempt, version: release.version, from: version, phase: 'loading' as const, tries: 0 }
    const next = { ...begun, since: date().toISOString(), release: { manifest, signature } }
    await files.journal.write(next)
    journal = next
    percent = 0
    log.info('an update begins', { from: version, to: release.version, attempt })
    working = work()
    return stateOf(next, percent)
  }

  /** From wherever it is to its end, as far as that is ours. Never rejects. */
  async function work(): Promise<void> {
    while (!signal.aborted && journal && !over()) {
      try {
        if (journal.phase === 'loading') await load(journal)
        else await follow(journal)
      } catch (error) {
        if (signal.aborted) return
        log.warn('the update does not go on; it is tried again', { error })
        await sleep(RETRY_MS, signal)
      }
    }
  }

  async function load({ release: signed, tries }: UpdateJournal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LOADING_MS)])
    try {
      if (tries >= MOST_TRIES)
        throw new UpdateFailure('internal', `DTMA ended ${tries} times while it took in the release`)
      await note({ tries: tries + 1 })
      const installation = await deps.installation(limit)
      const release = Release.parse(JSON.parse(signed.manifest)) // checked when it was accepted, and ours since
      await fetched({ ...installation.sourceOf(release), pins: deps.pins?.() }, limit)
      const to = await installation.prepare(files.archive, release, limit)
      await note({ phase: 'switching', switch: to })
    } catch (error) {
      if (signal.aborted) return
      const reason = error instanceof UpdateFailure ? error.reason : 'internal'
      const message = error instanceof Error ? error.message.slice(0, 500) : String(error)
      log.error('the update failed; nothing was changed', { reason, error })
      await note({ phase: 'failed', reason, message })
    } finally {
      await rm(files.archive, { force: true })
    }
  }

  /** Broken connections and a busy control plane are waited for; what was tampered with is not asked for again. */
  async function fetched(
    source: Pick<Download, 'url' | 'size' | 'sha256' | 'pins'>,
    limit: AbortSignal,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await download({ ...source, file: files.archive, onProgress: progressed }, limit)
      } catch (error) {
        const again = error instanceof UpdateFailure && error.reason === 'download_failed' && attempt < MOST_DOWNLOADS
        if (!again || limit.aborted) throw error
        log.warn('the release could not be fetched; it is tried again', { reason: error.message })
        await sleep(RETRY_MS, limit)
      }
    }
  }

  function progressed(value: number): void {
    if (value === percent) return
    percent = value
    if (value % 10 === 0) deps.onChange()
  }

  /** The switcher is at work: see to it that he is, show what he waits for, and take note of what he writes. */
  async function follow(before: UpdateJournal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(FOLLOW_MS)])
    const installation = await deps.installation(limit)
    if (before.switch && kindOf(before.switch) !== installation.kind) {
      const message = 'DTMA was installed anew, and in another way, while it was updated'
      await note({ phase: 'failed', reason: 'internal', message })
      return
    }
    await installation.ensureSwitcher(limit)
    const isNew = !(await installation.isOld(before, limit))
    let shown = ''
    while (!limit.aborted && !over()) {
      if (isNew) {
        const proof: Proof = { attempt: before.attempt, ...(await deps.evidence(limit)) }
        if (JSON.stringify(proof) !== shown) await files.proof.write(proof)
        shown = JSON.stringify(proof)
        if (isComplete(proof)) log.debug('everything is proven')
      }
      await sleep(LOOK_MS, limit)
      const now = await files.journal.read()
      if (now && now.phase !== journal?.phase) {
        journal = now
        log.info('update', { phase: now.phase, version: now.version, reason: now.reason })
        deps.onChange()
      }
    }
  }

  working = work()
  return {
    get state() {
      return journal && stateOf(journal, percent)
    },
    request: (attempt, release) => turn.take(() => accept(attempt, release)),
    get stopped() {
      return working
    },
  }
}
