import { ProblemError } from '@agentopia/api'
import {
  type Client,
  deleteTool,
  getCapabilities,
  getTool,
  putTool,
  putToolSecrets,
  type ToolStatus,
  withdrawToolSecrets,
} from '@agentopia/dtma/contract'
import { eq, type SQL } from 'drizzle-orm'
import type { Catalog } from '../catalog/catalog.ts'
import { renderSpec } from '../catalog/recipe.ts'
import { recipeOf } from '../catalog/recipe-of.ts'
import { recordActivity } from '../events/activity.store.ts'
import type { Clock } from '../reconcile/clock.ts'
import { again, type Outcome, type Reconciler, settled } from '../reconcile/reconciler.ts'
import { underLease } from '../reconcile/under-lease.ts'
import type { Store } from '../store/connect.ts'
import { agentTools, type toolboxes } from '../store/schema/index.ts'
import { storeStatus } from '../tools/instance.report.ts'
import { storeAgentOffer } from '../tools/offer.store.ts'
import { type AgentToolFacts, type AgentToolStep, failureOf, isReady, nextStep } from './agent-tool.step.ts'
import { clearAgentToolStatus, type FoundAgentTool, findAgentTool, listAgentToolNames } from './agent-tool.store.ts'
import type { CredentialSealer } from './credential.seal.ts'
import { judgeCredential } from './credential.store.ts'

export interface AgentToolReconcilerDeps {
  readonly store: Store
  readonly clock: Pick<Clock, 'steady'>
  readonly catalog: Catalog
  readonly seals: CredentialSealer
  /** @throws {ProblemError} `toolbox-unreachable` */
  readonly clientOf: (toolbox: typeof toolboxes.$inferSelect) => Client
  /** Identifier of this replica's process. */
  readonly owner: string
  /** An agent that has not called for so long has no container running. */
  readonly idleMs: number
  /** Called before it is changed: what was known of it does not hold any more. */
  readonly onBegin: (name: string) => void
  /**
   * Called after each look and each step, for whoever waits for the tool.
   * @param up Version of the secrets with which calls can be sent to it; `undefined`: they cannot.
   */
  readonly onStep: (name: string, up: string | undefined) => void
}

/** A start is looked at often at first, and ever less while it takes longer; the toolbox reports by itself, too. */
const LOOK_MS = 150
const LOOK_GROWTH = 1.2
const LONGEST_LOOK_MS = 5_000
/** So long the toolbox may wait with its answer for the end of the start. Nothing else is done to the tool meanwhile. */
const WAIT_MS = 1_000
/** So many of one account at once: a toolbox that keeps us waiting holds up nobody else's. */
const AT_ONCE_OF_ACCOUNT = 8
const ITS_TURN_MS = 200
/** A toolbox answers what it is told at once, and what is looked at after its wait; a removal takes its time. */
const ANSWER_MS = 10_000

/** To send the spec and the secrets, and to look. */
const MOST_STEPS = 3

/** A step as it was decided, and what it was decided by. */
interface Seen {
  readonly step: AgentToolStep
  readonly found: FoundAgentTool
}

/** A lease, for the steps that are taken under it. */
interface Work {
  /** Condition of every write. */
  readonly held: SQL
  /** The toolbox said this of the tool. */
  readonly hear: (status: ToolStatus, found: FoundAgentTool) => void
  readonly signal: AbortSignal
}

/** Brings the containers that agents have of their own to where they are wanted: one idempotent operation a step. */
export function agentToolReconciler(deps: AgentToolReconcilerDeps): Reconciler {
  const { store, clock, catalog, seals, clientOf, owner, idleMs, onBegin, onStep } = deps
  const looks = new Map<string, number>()
  const atWork = new Map<string, number>()

  async function decide(name: string): Promise<Seen | undefined> {
    const found = await store.system((tx) => findAgentTool(tx, name, catalog))
    return found && { step: nextStep(factsOf(found, idleMs)), found }
  }

  async function reconcile(name: string, signal: AbortSignal): Promise<Outcome> {
    const seen = await decide(name)
    if (!seen || seen.step === 'settled') {
      onStep(name, seen && upIn(seen.found.row.status, seen.found))
      return settled
    }
    const { accountId } = seen.found.row
    const others = atWork.get(accountId) ?? 0
    if (others >= AT_ONCE_OF_ACCOUNT) return again(ITS_TURN_MS)
    atWork.set(accountId, others + 1)
    try {
      return await step(name, seen, signal)
    } finally {
      const left = atWork.get(accountId)! - 1
      if (left === 0) atWork.delete(accountId)
      else atWork.set(accountId, left)
    }
  }

  async function step(name: string, seen: Seen, signal: AbortSignal): Promise<Outcome> {
    const changes = !['look', 'welcome', 'refuse'].includes(seen.step)
    let up = changes ? undefined : upIn(seen.found.row.status, seen.found)
    if (changes) onBegin(name)
    /** Calls need wait neither until it is stored nor until the row is let go. */
    function hear(status: ToolStatus, found: FoundAgentTool): void {
      up = upIn(status, found)
      if (up !== undefined) onStep(name, up)
    }
    const outcome = await underLease({ store, table: agentTools, id: name, owner }, (held, epoch) => {
      const isAsSeen = epoch === seen.found.row.leaseEpoch + 1
      return stepsAtOnce(name, isAsSeen ? seen : undefined, { held, hear, signal })
    })
    onStep(name, up)
    return outcome
  }

  /**
   * What follows at once needs no lease of its own: somebody waits for it.
   * @param seen Absent: another replica may have taken the step meanwhile.
   */
  async function stepsAtOnce(name: string, seen: Seen | undefined, work: Work): Promise<Outcome> {
    let next = seen
    let outcome = again(0)
    for (let steps = 0; steps < MOST_STEPS && isDueNow(outcome) && !work.signal.aborted; steps += 1) {
      next ??= await decide(name)
      outcome = next ? await act(next, work) : settled
      next = undefined
    }
    return outcome
  }

  async function act({ step, found }: Seen, { held, hear, signal: whole }: Work): Promise<Outcome> {
    const { row, toolbox, instance, credential } = found
    const signal = step === 'remove' ? whole : AbortSignal.any([whole, AbortSignal.timeout(ANSWER_MS)])
    const params = { name: row.id }
    if (step !== 'look') looks.delete(row.id)
    const client = () => clientOf(toolbox)
    const stored = (status: ToolStatus) => {
      hear(status, found)
      return store.system((tx) => storeStatus(tx, agentTools, toolbox.id, status))
    }
    switch (step) {
      case 'settled':
        return settled
      case 'forget':
        await store.system((tx) => tx.delete(agentTools).where(held))
        return settled
      case 'remove':
        await client().call(deleteTool, { params }, { signal })
        await store.system((tx) => tx.delete(agentTools).where(held))
        return settled
      case 'put': {
        const spec = renderSpec(recipeOf(catalog, instance!), instance!.config)
        const desired =
          wantedOf(found, idleMs) === 'running' && found.secretsVersion !== undefined ? 'running' : 'stopped'
        const body = { generation: instance!.generation, desired, spec } as const
        await stored(await client().call(putTool, { params, body }, { signal }))
        return again(0)
      }
      case 'push': {
        const values = credential ? await store.system((tx) => seals.open(tx, credential, credential.sealed)) : {}
        const body = { version: found.secretsVersion!, values }
        await stored(await client().call(putToolSecrets, { params, body }, { signal }))
        return again(0)
      }
      case 'withdraw':
        await stored(await client().call(withdrawToolSecrets, { params }, { signal }))
        return again(LOOK_MS)
      case 'look': {
        const pace = nextLookMs(row.id)
        const begun = clock.steady()
        await look(found, client(), stored, signal)
        return again(Math.max(0, pace - (clock.steady() - begun)))
      }
      case 'welcome':
        await welcome(found, client(), signal)
        return settled
      case 'refuse':
        await judge(found, 'refused', failureOf(row.status!))
        return settled
    }
  }

  function nextLookMs(name: string): number {
    const count = looks.get(name) ?? 0
    looks.set(name, count + 1)
    return Math.min(LOOK_MS * LOOK_GROWTH ** count, LONGEST_LOOK_MS)
  }

  async function look(
    { row }: FoundAgentTool,
    client: Client,
    stored: (status: ToolStatus) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const input = { params: { name: row.id }, query: { waitMs: String(WAIT_MS) } }
      await stored(await client.call(getTool, input, { signal }))
    } catch (error) {
      if (!(error instanceof ProblemError && error.code === 'tool-not-found')) throw error
      await store.system((tx) => clearAgentToolStatus(tx, row.id))
    }
  }

  /** What the server offers to this agent is stored with its toolbelt item: its permissions hold for that. */
  async function welcome(found: FoundAgentTool, client: Client, signal: AbortSignal): Promise<void> {
    const { row, instance, agent, offerDigest } = found
    if (row.status?.mcp && row.status.mcp.capabilityDigest !== offerDigest) {
      const offer = await client.call(getCapabilities, { params: { name: row.id } }, { signal })
      await store.system((tx) => storeAgentOffer(tx, instance!, agent!, offer))
    }
    await store.system((tx) =>
      tx
        .update(agentTools)
        .set({ welcomedGeneration: instance!.generation, welcomedDigest: row.status?.mcp?.capabilityDigest ?? null })
        .where(eq(agentTools.id, row.id)),
    )
    await judge(found, 'valid')
  }

  async function judge(
    { row, instance, credential }: FoundAgentTool,
    state: 'valid' | 'refused',
    reason?: string,
  ): Promise<void> {
    if (!credential) return
    await store.system(async (tx) => {
      if (!(await judgeCredential(tx, credential, state, reason))) return
      const message =
        state === 'valid'
          ? `${instance!.name} started with the credential of the agent`
          : `${instance!.name} does not start with the credential of the agent: ${reason}`
      await recordActivity(tx, {
        accountId: row.accountId,
        actor: 'control plane',
        action: `credential.${state}`,
        subject: row.agentId,
        toolboxId: row.toolboxId,
        message,
      })
    })
  }

  return { name: 'agent tool', list: () => store.system((tx) => listAgentToolNames(tx)), reconcile }
}

/** Version of the secrets with which it is up. */
const upIn = (status: ToolStatus | null, { secretsVersion }: FoundAgentTool): string | undefined =>
  secretsVersion !== undefined && isReady(status ?? undefined, secretsVersion) ? secretsVersion : undefined

const isDueNow = (outcome: Outcome): boolean => !outcome.done && outcome.retryAfterMs === 0

function factsOf(found: FoundAgentTool, idleMs: number): AgentToolFacts {
  const { row, toolbox, instance, credential, secretsVersion, offerDigest } = found
  return {
    toolboxStatus: toolbox.status,
    wanted: wantedOf(found, idleMs),
    generation: instance?.generation ?? 0,
    secretsVersion,
    status: row.status ?? undefined,
    curious:
      credential?.state === 'unverified' ||
      (credential?.state === 'refused' && row.status?.state === 'running') ||
      row.welcomedGeneration !== instance?.generation ||
      // Or nothing is known of what it offers; or it offers something else than when it was asked: it has changed while it ran.
      (row.status?.mcp !== undefined &&
        (offerDigest === undefined || row.status.mcp.capabilityDigest !== row.welcomedDigest)),
  }
}

function wantedOf(found: FoundAgentTool, longestIdleMs: number): AgentToolFacts['wanted'] {
  const { held, usable, idleMs, credential } = found
  if (!held) return 'absent'
  // A credential is tried however long the image of its tool takes to build.
  const isWanted = idleMs < longestIdleMs || credential?.state === 'unverified'
  return usable && isWanted ? 'running' : 'stopped'
}
