import { type Observation, ProblemError } from '@agentopia/api'
import { type Client, createClient, type Fetch, getHealth, getStatus } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { ProviderError, type ToolboxProvider } from '../providers/provider.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { type Answer, diagnose, type Facts, observationOf, type TunnelFacts } from './diagnose.ts'
import type { DtmaClients } from './dtma-client.ts'
import { noteAddress } from './note-address.ts'
import { findToolbox, storeObservation, type ToolboxRow } from './toolbox.store.ts'

/** What the uplink knows of the connections of toolboxes. */
interface Tunnels {
  /** The open tunnel as a `fetch`; `undefined` when there is none. */
  fetchOf(toolboxId: string): Fetch | undefined
  factsOf(toolboxId: string): TunnelFacts
}

export interface ObserverDeps {
  readonly store: Store
  readonly clock: Clock
  readonly tunnels: Tunnels
  readonly clients: DtmaClients
  /** The provider of this kind of machine, when it can be asked. */
  readonly providerOf: (provider: ToolboxRow['provider']) => Pick<ToolboxProvider, 'find' | 'absentRemedy'> | undefined
  readonly signal: AbortSignal
}

export interface Observer {
  /** Looks now and stores what was seen. Looks at the same toolbox at the same time are one. `undefined`: no such toolbox. */
  look(toolboxId: string): Promise<Observation | undefined>
}

const DEADLINE_MS = 3_000
/** The name inside a tunnel; never resolved. */
const INSIDE = 'http://dtma'

/** One real look at a toolbox: asks DTMA through its tunnel and the provider about the machine, and says what that means. */
export function createObserver({ store, clock, tunnels, clients, providerOf, signal }: ObserverDeps): Observer {
  const looking = new Map<string, Promise<Observation | undefined>>()

  async function lookOnce(toolboxId: string): Promise<Observation | undefined> {
    const row = await store.system((tx) => findToolbox(tx, toolboxId))
    if (!row) return undefined
    const [answer, machine] = await Promise.all([ask(row), inspect(row)])
    const facts: Facts = {
      toolboxId,
      enrolled: row.publicKey !== null,
      tunnel: tunnels.factsOf(toolboxId), // after the question: it may have been the connection's end
      ...(row.lastHeartbeatAt ? { lastHeartbeatAt: row.lastHeartbeatAt } : {}),
      ...(row.observation ? { previous: row.observation } : {}),
      ...(answer ? { answer } : {}),
      ...machine,
    }
    const observation = observationOf(diagnose(facts), row.observation, new Date(clock.now()))
    const trusted = answer?.kind === 'status' && observation.code !== 'identity_mismatch' ? answer.status : undefined
    const { machine: found } = machine
    await store.system(async (tx) => {
      await storeObservation(tx, toolboxId, observation, trusted)
      if (typeof found === 'object' && found.address !== undefined) await noteAddress(tx, row, found.address)
    })
    return observation
  }

  /** @returns `undefined` when there is no tunnel to ask through. */
  async function ask(row: ToolboxRow): Promise<Answer | undefined> {
    const fetch = tunnels.fetchOf(row.id)
    if (!fetch || !row.backendToDtmaApiKey) return undefined
    const started = clock.now()
    try {
      const status = await within(getStatusOf(clients.clientOf(row)))
      return { kind: 'status', status, ms: Math.max(0, clock.now() - started) }
    } catch (error) {
      if (error instanceof DeadlineError) return { kind: 'deadline', ms: DEADLINE_MS }
      return answerOf(error, fetch)
    }
  }

  async function answerOf(error: unknown, fetch: Fetch): Promise<Answer> {
    if (error instanceof z.core.$ZodError || error instanceof SyntaxError)
      return { kind: 'unreadable', detail: textOf(error) }
    if (!(error instanceof ProblemError) || error.code === 'toolbox-unreachable')
      return { kind: 'broken', detail: textOf(error instanceof ProblemError ? (error.cause ?? error) : error) }
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
      return textOf(error)
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
  async function within<T>(work: (limit: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController()
    const stop = () => limit.abort(signal.reason)
    signal.addEventListener('abort', stop)
    const done = new AbortController()
    const deadline = clock.sleep(DEADLINE_MS, done.signal).then((): never => {
      const error = new DeadlineError(`no answer within ${DEADLINE_MS} ms`)
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

const getStatusOf = (client: Client) => (limit: AbortSignal) => client.call(getStatus, {}, { signal: limit })

class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300)
