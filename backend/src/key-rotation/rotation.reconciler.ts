import { ProblemError } from '@agentopia/api'
import { type Client, rotateKeys } from '@agentopia/dtma/contract'
import type { Clock } from '../reconcile/clock.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import { createTimeSpent } from '../reconcile/time-spent.ts'
import type { Store } from '../store/connect.ts'
import { findToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { LONGEST_MS, nextStep } from './rotation.step.ts'
import { allowToken, giveUpRotation, listAskedRotations, refuseRotation } from './rotation.store.ts'
import { createRotationTokens } from './rotation-token.ts'

export interface RotationReconcilerDeps {
  readonly store: Store
  readonly clock: Clock
  readonly rootKey: Uint8Array
  /** @throws {ProblemError} `toolbox-unreachable` when there is no way to it now. */
  readonly clientOf: (toolbox: ToolboxRow) => Client
}

/** DTMA answers the same request so again. */
const FINAL: ReadonlySet<string> = new Set(['invalid-request', 'keys-given'])
/** It has the token and has not enrolled yet: look again, and hand it over again. */
const AGAIN_MS = 10_000

/**
 * Hands each DTMA that is to have other keys a token to enrol anew with, over the road that the present ones open. Without a
 * lease: the token of an attempt is the same whoever sends it, and one key alone can use it.
 */
export function rotationReconciler({ store, clock, rootKey, clientOf }: RotationReconcilerDeps): Reconciler {
  const tokenOf = createRotationTokens(rootKey)
  const spent = createTimeSpent(clock)

  async function send(row: ToolboxRow, signal: AbortSignal): Promise<Outcome> {
    const { attempt } = row.keyRotationAsked!
    const refuse = async (message: string) => {
      const at = new Date(clock.now()).toISOString()
      await store.system((tx) => refuseRotation(tx, row.id, { attempt, message, at }))
      return settled
    }
    try {
      const client = clientOf(row)
      const token = tokenOf(row.id, attempt)
      if (!(await store.system((tx) => allowToken(tx, row, token, new Date(clock.now()))))) return settled
      await client.call(rotateKeys, { body: { token } }, { signal })
      return again(AGAIN_MS)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (error.code === 'not-found') return refuse('This DTMA cannot change its keys yet: update it first')
      if (FINAL.has(error.code)) return refuse(error.message)
      if (error.code === 'toolbox-unreachable') return settled // woken by its next heartbeat
      return again(AGAIN_MS)
    }
  }

  return {
    name: 'key-rotation',
    async list() {
      const ids = await store.system(listAskedRotations)
      spent.forgetAllBut(ids)
      return ids
    },
    async reconcile(id, signal) {
      const row = await store.system((tx) => findToolbox(tx, id))
      if (!row || row.deletedAt || nextStep(row) === 'settled') {
        spent.forget(id)
        return settled
      }
      const { attempt } = row.keyRotationAsked!
      if (spent.on(id, attempt) < LONGEST_MS) return send(row, signal)
      await store.system((tx) => giveUpRotation(tx, id, attempt, new Date(clock.now())))
      return settled
    },
  }
}
