import { ProblemError } from '@agentopia/api'
import { type Client, redeployDtma } from '@agentopia/dtma/contract'
import type { Clock } from '../reconcile/clock.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import { createTimeSpent } from '../reconcile/time-spent.ts'
import type { Store } from '../store/connect.ts'
import { findToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { Releases } from './releases.ts'
import { attemptOf, LONGEST_MS, nextStep } from './update.step.ts'
import { giveUpUpdate, listUpdatesUnderWay, refuseUpdate } from './update.store.ts'

export interface UpdateReconcilerDeps {
  readonly store: Store
  readonly clock: Clock
  readonly releases: Pick<Releases, 'signed'>
  /** @throws {ProblemError} `toolbox-unreachable` when there is no way to it now. */
  readonly clientOf: (toolbox: ToolboxRow) => Client
}

/** DTMA answers the same release so again. */
const FINAL: ReadonlySet<string> = new Set([
  'invalid-request',
  'not-found',
  'release-untrusted',
  'release-not-newer',
  'update-unavailable',
])
/** A toolbox that is away is tried again when it comes back; one that is busy, after this time. */
const BUSY_MS = 30_000

/**
 * Sends a release to each DTMA that is to be updated; from then on DTMA does it and reports, within its time. Without a lease: the
 * attempt has a name, so two replicas that send it ask for one update.
 */
export function updateReconciler({ store, clock, releases, clientOf }: UpdateReconcilerDeps): Reconciler {
  const spent = createTimeSpent(clock)

  async function send(row: ToolboxRow, signal: AbortSignal): Promise<Outcome> {
    const { attempt, version, again: isSame } = row.updateAsked!
    const refuse = async (reason: string, message: string) => {
      const at = new Date(clock.now()).toISOString()
      await store.system((tx) => refuseUpdate(tx, row.id, { attempt, reason, message, at }))
      return settled
    }
    const release = await releases.signed(row.installation ?? 'container', signal, isSame && attempt)
    if (release?.version !== version)
      return refuse(
        'release-gone',
        `This control plane gives out ${release?.version ?? 'no version'} now, not ${version}`,
      )
    const { manifest, signature } = release
    try {
      await clientOf(row).call(redeployDtma, { body: { attempt, release: { manifest, signature } } }, { signal })
      return settled
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (error.code === 'not-found')
        return refuse(error.code, 'This DTMA cannot update itself yet: run the install script on its machine again')
      if (FINAL.has(error.code)) return refuse(error.code, error.message)
      if (error.code === 'toolbox-unreachable') return settled // woken when its tunnel opens
      return again(BUSY_MS)
    }
  }

  return {
    name: 'update',
    async list() {
      const ids = await store.system(listUpdatesUnderWay)
      spent.forgetAllBut(ids)
      return ids
    },
    async reconcile(id, signal) {
      const row = await store.system((tx) => findToolbox(tx, id))
      const step = row && !row.deletedAt ? nextStep(row) : 'settled'
      if (step === 'settled') {
        spent.forget(id)
        return settled
      }
      const attempt = attemptOf(row!)
      const leftMs = LONGEST_MS - spent.on(id, attempt)
      if (leftMs <= 0) {
        await store.system((tx) => giveUpUpdate(tx, id, attempt, new Date(clock.now())))
        return settled
      }
      return step === 'send' ? send(row!, signal) : again(leftMs)
    },
  }
}
