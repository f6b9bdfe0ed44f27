import { problem } from '@agentopia/api'
import type { Catalog } from '../catalog/catalog.ts'
import { lacksSecrets } from '../gateway/denied.ts'
import { type CallUpstream, isAway } from '../gateway/upstream.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import type { OwnTool, ToolAddress } from './agent-belt.ts'
import { failureOf, isReady } from './agent-tool.step.ts'
import { agentToolNameOf, clearAgentToolStatus, findAgentTool, wantAgentTool } from './agent-tool.store.ts'

/** The containers that agents have of their own, as calls see them. */
export interface AgentTools {
  /**
   * Sends a call to the agent's own container, which is started when it does not run; a call to a shared tool passes as it is.
   * @throws {ProblemError} `missing-credential`, `instance-not-running`, `call-timeout`, or what the call throws.
   */
  readonly call: CallUpstream
  /** It is about to be changed: the next call asks whether it still runs. */
  cooled(name: string): void
  /** It was looked at. @param up Version of the secrets that it runs with; `undefined`: whoever waits looks again. */
  stepped(name: string, up: string | undefined): void
}

export interface AgentToolsDeps {
  readonly store: Store
  readonly catalog: Catalog
  readonly callUpstream: CallUpstream
  readonly clock: Clock
  readonly log: Log
  /** Wakes the reconciler. */
  readonly wake: (name: string) => void
  readonly idleMs: number
  readonly signal: AbortSignal
}

/** One that this process has found running. */
interface Warm {
  readonly own: OwnTool
  /** When its use was last written down: others may stop it an idle time later. */
  notedAt: number
  calls: number
}

/** Another replica may do the work: then nobody tells us. */
const LOOK_ANYWAY_MS = 1_000
const LONGEST_NOTE_MS = 30_000

export function createAgentTools(deps: AgentToolsDeps): AgentTools {
  const { store, catalog, callUpstream, clock, log, wake, idleMs, signal } = deps
  const warm = new Map<string, Warm>()
  const starting = new Map<string, Promise<void>>()
  const waiting = new Map<string, Set<(up: string | undefined) => void>>()
  /** A use is written down so often that nobody takes the container away in between. */
  const noteMs = Math.min(LONGEST_NOTE_MS, idleMs / 4)

  const want = (own: OwnTool) => store.tenant(own.accountId, (tx) => wantAgentTool(tx, own))

  /** Calls that last longer than the idle time hold their container. */
  const holding = setInterval(() => {
    for (const [name, container] of warm) {
      const now = clock.steady()
      if (container.calls === 0 && now - container.notedAt > idleMs) warm.delete(name)
      if (container.calls === 0) continue
      want(container.own).then(
        () => {
          container.notedAt = now
        },
        (err: unknown) => log.warn({ err, tool: name }, 'use of a tool not noted'),
      )
    }
  }, noteMs)
  holding.unref()
  signal.addEventListener('abort', () => clearInterval(holding), { once: true })

  /** Resolves when it runs with the right secrets. All who wait for one start share it. */
  function start(name: string, own: OwnTool): Promise<void> {
    const key = `${name} ${own.secretsVersion}`
    const known = starting.get(key)
    if (known !== undefined) return known
    const started = bring(name, own).finally(() => starting.delete(key))
    started.catch(() => undefined) // who waits has it; all may have gone away
    starting.set(key, started)
    return started
  }

  async function bring(name: string, own: OwnTool): Promise<void> {
    const version = own.secretsVersion!
    let notedAt = Number.NEGATIVE_INFINITY
    for (let asked = false; !signal.aborted; asked = true) {
      // Before it is looked at: what is done to it meanwhile shall be heard, too.
      using step = listenFor(name)
      const now = clock.steady()
      if (now - notedAt >= noteMs) {
        await want(own)
        notedAt = now
      }
      // The reconciler looks at it anyway: to look beside it would only keep it waiting.
      if (!asked) wake(name)
      if ((asked && (await isThere(name, own))) || (await step.up()) === version) {
        warm.set(name, { own, notedAt, calls: warm.get(name)?.calls ?? 0 })
        return
      }
    }
    throw problem('instance-not-running', 'The control plane stops')
  }

  /** Whether it runs with the right secrets. @throws {ProblemError} It does not come up. */
  async function isThere(name: string, { secretsVersion, instanceName }: OwnTool): Promise<boolean> {
    const found = await store.system((tx) => findAgentTool(tx, name, catalog))
    if (!found?.usable || found.secretsVersion !== secretsVersion)
      throw problem('instance-not-running', `${instanceName} changed while its container for this agent was starting`)
    if (found.toolbox.status !== 'active')
      throw problem('toolbox-unreachable', `The toolbox of ${instanceName} is ${found.toolbox.status}`)
    const status = found.row.status ?? undefined
    if (isReady(status, secretsVersion!)) return true
    const isTold = status?.generation === found.instance!.generation && status.secrets?.held === secretsVersion
    const why = isTold ? failureOf(status) : undefined
    if (why === undefined) return false
    throw problem('instance-not-running', `The container of ${instanceName} for this agent does not start: ${why}`)
  }

  /** Hears what is done to it. */
  function listenFor(name: string): Disposable & { up(): Promise<string | undefined> } {
    const nap = new AbortController()
    let heard: string | undefined
    const ring = (up: string | undefined) => {
      heard = up
      nap.abort()
    }
    const bells = waiting.get(name) ?? new Set()
    waiting.set(name, bells.add(ring))
    return {
      /** What {@link AgentTools.stepped} says; `undefined` after a while, too. */
      async up() {
        await clock.sleep(LOOK_ANYWAY_MS, AbortSignal.any([nap.signal, signal]))
        return heard
      },
      [Symbol.dispose]() {
        bells.delete(ring)
        if (bells.size === 0 && waiting.get(name) === bells) waiting.delete(name)
      },
    }
  }

  /** What was observed of it does not hold any more. */
  async function lookAgain(name: string): Promise<void> {
    warm.delete(name)
    await store.system((tx) => clearAgentToolStatus(tx, name))
    wake(name)
  }

  async function ready(name: string, own: OwnTool, timeoutMs: number, gone: AbortSignal): Promise<Warm> {
    const found = warm.get(name)
    if (found?.own.secretsVersion === own.secretsVersion && clock.steady() - found!.notedAt < noteMs) return found!
    await within(start(name, own), timeoutMs, gone)
    return warm.get(name) ?? { own, notedAt: clock.steady(), calls: 0 }
  }

  return {
    async call(wanted) {
      const { own } = wanted.toolbox as ToolAddress
      if (!own) return callUpstream(wanted)
      if (own.secretsVersion === undefined)
        throw problem('missing-credential', lacksSecrets({ agent: 'this agent', instance: own.instanceName }))
      const name = agentToolNameOf(own.instanceId, own.agentId)
      const begun = clock.steady()
      const container = await ready(name, own, wanted.timeoutMs, wanted.signal)
      container.calls += 1
      try {
        const timeoutMs = Math.max(1, Math.ceil(wanted.timeoutMs - (clock.steady() - begun)))
        return await callUpstream({ ...wanted, instanceId: name, timeoutMs })
      } catch (error) {
        // It ended since; the next call starts it. This one may have done its work, and is not repeated.
        if (isAway(error)) await lookAgain(name)
        throw error
      } finally {
        container.calls -= 1
      }
    },
    cooled: (name) => void warm.delete(name),
    stepped(name, up) {
      if (up === undefined) warm.delete(name)
      for (const ring of waiting.get(name) ?? []) ring(up)
    },
  }
}

/** @throws {ProblemError} `call-timeout`, or the signal's reason. */
async function within(start: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const late = setTimeout(
    () => reject(problem('call-timeout', `The tool did not start within ${ms} ms; nothing was sent to it`)),
    ms,
  )
  const leave = () => reject(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    await Promise.race([start, promise])
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', leave)
  }
}
