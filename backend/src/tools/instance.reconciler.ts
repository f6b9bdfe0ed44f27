import { ProblemError } from '@agentopia/api'
import { type Client, deleteTool, getCapabilities, putTool } from '@agentopia/dtma/contract'
import type { SQL } from 'drizzle-orm'
import type { Catalog } from '../catalog/catalog.ts'
import { renderSpec } from '../catalog/recipe.ts'
import { recipeOf } from '../catalog/recipe-of.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import { underLease } from '../reconcile/under-lease.ts'
import type { Store } from '../store/connect.ts'
import { instances } from '../store/schema/index.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { storeStatus } from './instance.report.ts'
import { type InstanceStep, nextStep } from './instance.step.ts'
import { findWithToolbox, forgetInstance, type InstanceRow, listReconcilable, writeHeld } from './instance.store.ts'
import { handOverOffer, storeOffer } from './offer.store.ts'

export interface InstanceReconcilerDeps {
  readonly store: Store
  readonly catalog: Catalog
  /** The DTMA of a toolbox. @throws {ProblemError} `toolbox-unreachable` when there is no way to it now. */
  readonly clientOf: (toolbox: ToolboxRow) => Client
  /** Identifier of this replica's process. */
  readonly owner: string
}

/** What the same spec will be answered again: the toolbox does not take it, or the catalogue no longer has it. */
const FINAL: ReadonlySet<string> = new Set(['invalid-request', 'tool-not-found'])

/** Brings tool instances from what was asked for to what is: compares rows with reports, one idempotent operation a step. */
export function instanceReconciler({ store, catalog, clientOf, owner }: InstanceReconcilerDeps): Reconciler {
  async function reconcile(id: string, signal: AbortSignal): Promise<Outcome> {
    const seen = await decide(id)
    if (seen.step === 'settled' || seen.step === 'wait') return settled
    return underLease({ store, table: instances, id, owner }, async (held) => {
      const now = await decide(id) // another replica may have taken the step meanwhile
      return 'instance' in now ? act(now.step, now.instance, now.toolbox, held, signal) : settled
    })
  }

  async function decide(
    id: string,
  ): Promise<{ step: 'settled' } | { step: InstanceStep; instance: InstanceRow; toolbox: ToolboxRow }> {
    const found = await store.system((tx) => findWithToolbox(tx, id))
    return found ? { step: nextStep(found.instance, found.toolbox), ...found } : { step: 'settled' }
  }

  async function act(
    step: InstanceStep,
    instance: InstanceRow,
    toolbox: ToolboxRow,
    held: SQL,
    signal: AbortSignal,
  ): Promise<Outcome> {
    switch (step) {
      case 'settled':
      case 'wait':
        return settled
      case 'remove':
        if (toolbox.status !== 'deprovisioned')
          await clientOf(toolbox).call(deleteTool, { params: { name: instance.id } }, { signal })
        await store.system((tx) => forgetInstance(tx, instance.id, held))
        return settled
      case 'overtake':
        await store.system((tx) => writeHeld(tx, held, { generation: instance.status!.generation + 1 }))
        return again(0)
      case 'put':
        await put(instance, toolbox, held, signal)
        return settled
      case 'hand-over':
        await store.system((tx) => handOverOffer(tx, instance, held))
        return settled
      case 'discover': {
        const found = await clientOf(toolbox).call(getCapabilities, { params: { name: instance.id } }, { signal })
        await store.system((tx) => storeOffer(tx, instance, held, found))
        return settled
      }
    }
  }

  /** Sends the spec. A refusal that a repetition cannot change is stored and shown, not repeated. */
  async function put(instance: InstanceRow, toolbox: ToolboxRow, held: SQL, signal: AbortSignal): Promise<void> {
    const { id, generation } = instance
    const desired = instance.desired === 'stopped' ? 'stopped' : 'running'
    try {
      const body = { generation, desired, spec: renderSpec(recipeOf(catalog, instance), instance.config) } as const
      const status = await clientOf(toolbox).call(putTool, { params: { name: id }, body }, { signal })
      await store.system((tx) => storeStatus(tx, instances, toolbox.id, status))
    } catch (error) {
      if (!(error instanceof ProblemError && FINAL.has(error.code))) throw error
      await store.system((tx) => writeHeld(tx, held, { refusal: { generation, message: error.message } }))
    }
  }

  return { name: 'instance', list: () => store.system(listReconcilable), reconcile }
}
