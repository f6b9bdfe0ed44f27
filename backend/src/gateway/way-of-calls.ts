import { CALLS_AT_ONCE } from '@agentopia/dtma/contract'
import type { AskPerson } from '../approvals/ask-person.ts'
import { openCallJournal } from '../calls/call-journal.ts'
import { type CallRecorder, createCallRecorder } from '../calls/call-recorder.ts'
import { type ChainSeal, createChainSeal } from '../calls/chain-seal.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { withOwnTools } from '../credentials/agent-belt.ts'
import { type AgentTools, createAgentTools } from '../credentials/agent-tools.ts'
import type { CredentialSealer } from '../credentials/credential.seal.ts'
import { createCallGuard } from '../guard/call-guard.ts'
import { withoutOwnSecrets } from '../guard/guarded-upstream.ts'
import { createOwnSecrets, holderOf } from '../guard/own-secrets.ts'
import { createSecretAudit } from '../guard/secret-audit.ts'
import { createBulkhead } from '../http/bulkhead.ts'
import type { Log } from '../log.ts'
import { newId } from '../new-id.ts'
import { createPayloadKeeper, type PayloadKeeper } from '../payloads/payload-keeper.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import type { Sealer } from '../store/seal.ts'
import { createAdmission } from './admission.ts'
import { createAskFirst } from './ask-first.ts'
import type { Toolbelt } from './authorise.ts'
import { createMakeCall, type MakeCall } from './call.ts'
import { withCircuitBreaker } from './circuit-breaker.ts'
import { createExecuteOnce, type ExecuteOnce } from './execute-once.ts'
import { createKillSwitch, type KillSwitch } from './kill-switch.ts'
import { createRefusals } from './refusals.ts'
import { createRoad, type RoadDeps } from './road.ts'
import { createSearchAddresses, type SearchAddresses } from './search-addresses.ts'
import { readToolbelt } from './toolbelt.store.ts'
import { createToolbelts, type Toolbelts } from './toolbelts.ts'
import { type CallUpstream, createCallUpstream } from './upstream.ts'

export interface WayOfCallsDeps {
  readonly store: Store
  readonly rootKey: Uint8Array
  readonly sealer: Sealer
  readonly seals: CredentialSealer
  readonly catalog: Catalog
  readonly clock: Clock
  readonly log: Log
  readonly sendTo: RoadDeps['send']
  /** Directory of the journal of calls; this process's own. */
  readonly callsDir: string
  /** Identifier of this replica's process. */
  readonly owner: string
  /** An agent's own container is wanted, or is to stop. */
  readonly wakeAgentTool: (name: string) => void
  /** After so many milliseconds without a call an agent's own container stops. */
  readonly agentToolIdleMs: number
  readonly askPerson: AskPerson
  readonly signal: AbortSignal
}

export interface WayOfCalls {
  readonly toolbelts: Toolbelts
  /** One call: admitted, guarded, carried out, recorded. The same for every door. */
  readonly makeCall: MakeCall
  /** For whoever may ask for the same call twice; the same for every door. */
  readonly executeOnce: ExecuteOnce
  readonly searchAddresses: SearchAddresses
  /** What is no call of a capability: lists, prompts, resources. */
  readonly callUpstream: CallUpstream
  readonly agentTools: AgentTools
  readonly killSwitch: KillSwitch
  readonly recorder: CallRecorder
  readonly seal: ChainSeal
  readonly payloads: PayloadKeeper
  /** Resolves when no call is under way any more, and what was seen in them is on record; those that take long are not waited for. */
  readonly drained: () => Promise<void>
}

/** So long calls under way may take when the control plane stops; all of its stop takes a little longer. */
const DRAIN_MS = 8_000

/** One slow tool keeps so many calls busy, so many waiting, and no other tool. */
const CALLS_PER_INSTANCE = { atOnce: CALLS_AT_ONCE, waiting: 256, of: 'calls of this tool' } as const

/** Everything that a call passes, in its order: toolbelt ▸ kill switch ▸ limits ▸ person ▸ bulkhead ▸ own container ▸ circuit ▸ road ▸ secrets ▸ record. */
export function createWayOfCalls(deps: WayOfCallsDeps): WayOfCalls {
  const { store, rootKey, sealer, catalog, clock, log, sendTo, callsDir, owner, signal } = deps
  const read = withOwnTools(readToolbelt, catalog)
  const toolbelts = createToolbelts({ store, clock, read })
  const seal = createChainSeal(rootKey)
  const recorder = createCallRecorder({ store, journal: openCallJournal(callsDir, owner), seal, clock, log })
  const agentTools = createAgentTools({
    store,
    catalog,
    callUpstream: withCircuitBreaker(createCallUpstream(createRoad({ send: sendTo, sealer })), clock),
    clock,
    log,
    wake: deps.wakeAgentTool,
    idleMs: deps.agentToolIdleMs,
    signal,
  })
  const callUpstream = agentTools.call
  const findOwnSecrets = createOwnSecrets({ store, seals: deps.seals, clock })
  const guardOf = async (toolbelt: Toolbelt) =>
    createCallGuard(toolbelt.agent.secrets, await findOwnSecrets(holderOf(toolbelt)))
  const payloads = createPayloadKeeper({ store, sealer, clock, log })
  const secretAudit = createSecretAudit({ store, clock, log })
  const unguarded = createMakeCall({
    callUpstream,
    admit: createAdmission(store, clock),
    refusals: createRefusals(clock),
    askFirst: createAskFirst({
      askPerson: deps.askPerson,
      readToolbelt: (accountId, agentId) => store.tenant(accountId, (tx) => read(tx, agentId)),
    }),
    bulkhead: createBulkhead(CALLS_PER_INSTANCE),
    recorder,
    guardOf,
    secretAudit,
    payloads,
    clock,
    newId,
  })
  const killSwitch = createKillSwitch({ makeCall: unguarded, toolbelts, log })
  const beside = withoutOwnSecrets(callUpstream, findOwnSecrets)
  return {
    toolbelts,
    makeCall: killSwitch.makeCall,
    executeOnce: createExecuteOnce({ store, sealer, clock, log }),
    searchAddresses: createSearchAddresses({ guardOf, secretAudit }),
    callUpstream: beside,
    agentTools,
    killSwitch,
    recorder,
    seal,
    payloads,
    async drained() {
      const over = new AbortController()
      const written = killSwitch.idle().then(secretAudit.settled)
      await Promise.race([written, clock.sleep(DRAIN_MS, over.signal)])
      over.abort()
    },
  }
}
