import { type Observation, ProblemError } from '@agentopia/api'
import { type Client, createClient, type Fetch, getHealth, getStatus } from '@agentopia/dtma/contract'
import { type MachineFinder, ProviderError } from '../providers/provider.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { DialError } from '../uplink/direct/dial.ts'
import { type Answer, diagnose, type Facts, observationOf } from './diagnose.ts'
import type { DirectFacts } from './diagnose-direct.ts'
import type { DtmaClients } from './dtma-client.ts'
import { UNRESPONSIVE_MS } from './liveness.decision.ts'
import { evidenceOf, isUnreadable } from './no-answer.ts'
import { noteAddress } from './note-address.ts'
import type { Roads } from './roads.ts'
import { findToolbox, storeObservation, type ToolboxRow } from './toolbox.store.ts'

export interface ObserverDeps {
  readonly store: Store
  readonly clock: Clock
  readonly roads: Pick<Roads, 'fetchOf' | 'factsOf'>
  readonly clients: DtmaClients
  /** The provider of this kind of machine, when it can be asked. */
  readonly providerOf: (provider: ToolboxRow['provider']) => MachineFinder | undefined
  readonly signal: AbortSignal
}

export interface Observer {
  /** Looks now and stores what was seen. Looks at the same toolbox at the same time are one. `undefined`: no such toolbox. */
  look(toolboxId: string): Promise<Observation | undefined>
}

const DEADLINE_MS = 3_000
/** With a name to look up, a connection and TLS before the question. */
const DIALLED_MS = 9_000
/** The name inside a tunnel; never resolved. */
const INSIDE = 'http://dtma'

/** One real look at a toolbox: asks DTMA by its road and the provider about the machine, and says what that means. */
export function createObserver({ store, clock, roads, clients, providerOf, signal }: ObserverDeps): Observer {
  const looking = new Map<string, Promise<Observation | undefined>>()

  async function lookOnce(toolboxId: string): Promise<Observation | undefined> {
    const known = await store.system((tx) => findToolbox(tx, toolboxId))
    if (!known) return undefined
    const { row, answer, machine } = await seek(known)
    const facts: Facts = {
      toolboxId,
      enrolled: row.publicKey !== null,
      tunnel: roads.factsOf(toolboxId), // after the question: it may have been the connection's end
      ...(row.lastHeartbeatAt ? { lastHeartbeatAt: row.lastHeartbeatAt } : {}),
      ...(row.observation ? { previous: row.observation } : {}),
      ...(answer ? { answer } : {}),
      ...(row.direct ? { direct: directFactsOf(row, known), reports: reportsNow(row) } : {}),
      ...machine,
    }
    const observation = observationOf(diagnose(facts), row.observation, new Date(clock.now()))
    const trusted = answer?.kind === 'status' && observation.code !== 'identity_mismatch' ? answer.status : undefined
    const { machine: found } = machine
    await store.system(async (tx) => {
      await storeObservation(tx, toolboxId, observation, trusted)
      if (typeof found === 'object' && found.address !== undefined) await noteAddress(tx, known, found.address)
    })
    return observation
  }

  /**
   * Asks DTMA and the provider. On the direct road the provider comes first: the address may be another one by now. That one is
   * dialled without fear, because whoever is there must hold the key of the toolbox.
   */
  async function seek(row: ToolboxRow) {
    if (!row.direct || row.direct.address !== undefined) {
      const [answer, machine] = await Promise.all([askAgain(row), inspect(row)])
      return { row, answer, machine }
    }
    const machine = await inspect(row)
    const address = typeof machine.machine === 'object' ? machine.machine.address : undefined
    const there = address === undefined ? row : { ...row, publicIpAddress: address }
    return { row: there, answer: await askAgain(there), machine }
  }

  /** On the direct road a connection that turns out to be dead says little; the dial after it says what is wrong. */
  async function askAgain(row: ToolboxRow): Promise<Answer | undefined> {
    const answer = await ask(row)
    return row.direct && answer?.kind === 'broken' ? ask(row) : answer
  }

  const reportsNow = ({ lastHeartbeatAt }: ToolboxRow) =>
    lastHeartbeatAt !== null && clock.now() - lastHeartbeatAt.getTime() < UNRESPONSIVE_MS

  /** @returns `undefined` when there is no way to ask. */
  async function ask(row: ToolboxRow): Promise<Answer | undefined> {
    const fetch = roads.fetchOf(row)
    if (!fetch || !row.backendToDtmaApiKey) return undefined
    const started = clock.steady()
    try {
      const status = await within(getStatusOf(clients.clientOf(row)), row.direct ? DIALLED_MS : DEADLINE_MS)
      return { kind: 'status', status, ms: clock.steady() - started }
    } catch (error) {
      if (error instanceof DeadlineError) return { kind: 'deadline', ms: error.ms }
      return answerOf(error, fetch)
    }
  }

  async function answerOf(error: unknown, fetch: Fetch): Promise<Answer> {
    if (isUnreadable(error)) return { kind: 'unreadable', detail: evidenceOf(error) }
    if (error instanceof ProblemError && error.code === 'master-key-missing') throw error // nothing was asked
    const cause = error instanceof ProblemError ? error.cause : undefined
    if (cause instanceof DialError) return { kind: 'undialled', fault: cause.fault, detail: cause.message }
    if (!(error instanceof ProblemError) || error.code === 'toolbox-unreachable')
      return { kind: 'broken', detail: evidenceOf(error instanceof ProblemError ? (error.cause ?? error) : error) }
    const refused: Answer = { kind: 'refused', httpStatus: error.kind.status, code: error.code }
    const health = await healthOf(fetch)
    return health ? { ...refused, health } : refused
  }

  /** What DTMA says without a key: evidence that it is DTMA which refuses. */
  async function healthOf(fetch: Fetch): Promise<string | undefined> {
    const client = createClient({ baseUrl: INSIDE, fetch })
    try {
      const { status, version } = await within((limit) => client.call(getHealth, {}, { signal: limit }))
      return `${status}, version ${version}`
    } catch (error) {
      return evidenceOf(error)
    }
  }

  async function inspect(row: ToolboxRow): Promise<Pick<Facts, 'machine' | 'absentRemedy' | 'providerFailure'>> {
    const provider = providerOf(row.provider)
    if (!provider || row.status === 'deprovisioned') return {}
    try {
      const machine = (await within((limit) => provider.find(row.id, limit))) ?? 'absent'
      return { machine, ...(provider.absentRemedy ? { absentRemedy: provider.absentRemedy } : {}) }
    } catch (error) {
      if (error instanceof ProviderError || error instanceof DeadlineError) return { providerFailure: error.message }
      throw error
    }
  }

  /** Gives up after the deadline, whether or not `work` heeds its signal. */
  async function within<T>(work: (limit: AbortSignal) => Promise<T>, ms = DEADLINE_MS): Promise<T> {
    const limit = new AbortController()
    const stop = () => limit.abort(signal.reason)
    signal.addEventListener('abort', stop)
    const done = new AbortController()
    const deadline = clock.sleep(ms, done.signal).then((): never => {
      const error = new DeadlineError(ms)
      limit.abort(error)
      throw error
    })
    try {
      return await Promise.race([work(limit.signal), deadline])
    } finally {
      signal.removeEventListener('abort', stop)
      deadline.catch(() => {}) // lost the race: its rejection after `done` means nothing
      done.abort()
    }
  }

  return {
    look(toolboxId) {
      const running = looking.get(toolboxId)
      if (running) return running
      const look = lookOnce(toolboxId).finally(() => looking.delete(toolboxId))
      looking.set(toolboxId, look)
      return look
    },
  }
}

function directFactsOf(row: ToolboxRow, known: ToolboxRow): DirectFacts {
  const { port, plainHttp, address } = row.direct!
  const host = row.publicKey === null ? undefined : (address ?? row.publicIpAddress ?? undefined)
  const movedFrom = row.publicIpAddress === known.publicIpAddress ? undefined : (known.publicIpAddress ?? undefined)
  return { port, plainHttp, ...(host ? { host } : {}), ...(movedFrom ? { movedFrom } : {}) }
}

const getStatusOf = (client: Client) => (limit: AbortSignal) => client.call(getStatus, {}, { signal: limit })

class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
  readonly ms: number

  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
    this.ms = ms
  }
}
