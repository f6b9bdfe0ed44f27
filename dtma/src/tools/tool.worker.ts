import type { ProblemError } from '../contract/problem.ts'
import type { ToolReason, ToolStatus } from '../contract/tool.ts'
import type { Log } from '../log.ts'
import { driftOf } from './drift.ts'
import type { Journal } from './journal.ts'
import { isAlive, type Known, nextStep, type Step } from './next-step.ts'
import { isAwaited, rollbackOf, wantedAgain } from './rollback.ts'
import type { AcceptedTool } from './spec-file.ts'
import { countFailure, forgetFailures, newMemory, noteExit, type ToolMemory } from './tool.memory.ts'
import { createToolSteps, type ToolAtWork, type ToolStepsDeps } from './tool.steps.ts'
import type { FoundContainer } from './tool-containers.ts'
import { toolFailureOf } from './tool-failure.ts'
import { specHashOf } from './tool-labels.ts'
import { isStale } from './tool-secrets.ts'
import type { McpInfo } from './tool-sessions.ts'
import { containerStatusOf, mcpStatusOf, secretsStatusOf } from './tool-view.ts'

/** Brings one tool, and nothing else, to where it is wanted, for as long as DTMA runs. */
export interface ToolWorker {
  readonly tool: AcceptedTool
  readonly status: ToolStatus
  /** What the server said last; still known while the container restarts. */
  readonly info: McpInfo | undefined
  /** Records what is wanted from now on: on disk when it resolves, carried out after that. */
  accept(change: Partial<Pick<AcceptedTool, 'generation' | 'desired' | 'spec' | 'replace' | 'restarts'>>): Promise<void>
  /** Looks again, soon. `halted`: the container is known to have ended or been paused, so nothing need be awaited from it. */
  wake(hint?: { readonly halted: string }): void
  /** What has held it up for this reason is over: it is tried again at once. */
  released(reason: ToolReason): void
  /** Other secrets are held than before, or none: what runs with the old ones ends. */
  secretsChanged(): void
  /** News from the session, as the bridge tells them. */
  sessionChanged(info: McpInfo | undefined, why?: ProblemError): void
  /** Resolves once the tool was deleted and nothing of it is left. */
  readonly gone: Promise<void>
  /** Resolves when the worker has stopped working, for whatever reason. */
  readonly stopped: Promise<void>
}

export interface ToolWorkerDeps extends ToolStepsDeps {
  readonly log: Log
  readonly journal: Pick<Journal, 'record'>
  /** Wall clock. */
  readonly date: () => Date
  readonly onStatus: () => void
  readonly onGone: () => void
  readonly signal: AbortSignal
}

/** Wake-ups may be lost: so often we look anyway. */
const RESYNC_MS = 15_000
const DOCKER_RETRY_MS = 2_000
/** Steps that are not decided on again before it is time to; after another one that failed we rest. */
const HELD_BACK: ReadonlySet<Step['do']> = new Set(['make-image', 'create', 'start', 'unpause'])
/** A version that could not be had is tried again after so long, while the one before runs. */
const AGAIN_MS = 300_000

export function startToolWorker(first: AcceptedTool, deps: ToolWorkerDeps): ToolWorker {
  const { files, log, now, date, onStatus, secrets, signal } = deps
  const { steps, failed } = createToolSteps(deps)
  const memory = newMemory()
  const gone = Promise.withResolvers<void>()
  let tool = first
  let info: McpInfo | undefined
  let found: FoundContainer | undefined
  let status = statusOf({ state: 'unknown', since: date().toISOString() })
  let saving = Promise.resolve()
  let forgotten = false
  let step = new AbortController()
  /** Container whose server is to answer before the step goes on. */
  let awaited: string | undefined
  let bell = Promise.withResolvers<void>()

  function statusOf(shown: Pick<ToolStatus, 'state' | 'since' | 'reason' | 'message' | 'progress'>): ToolStatus {
    const { name, generation, desired, restarts } = tool
    return {
      ...shown,
      name,
      generation,
      desired: desired === 'running' ? 'running' : 'stopped',
      restarts,
      ...(found ? { container: containerStatusOf(found.details, tool.images.at(-1)) } : {}),
      ...(info ? { mcp: mcpStatusOf(info, offeredOf(tool)) } : {}),
      ...(tool.spec.secrets
        ? { secrets: secretsStatusOf(tool, secrets.of(name), found !== undefined && isAlive(found.observed)) }
        : {}),
    }
  }

  const show: ToolAtWork['show'] = (state, given = {}) => {
    const { reason, progress, ...told } = state === 'running' ? { ...rolledBackIn(tool), ...given } : given
    const message = told.message === undefined ? undefined : secrets.redacted(tool.name, told.message)
    const since = state === status.state ? status.since : date().toISOString()
    const next = statusOf({
      state,
      since,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
      ...(progress === undefined ? {} : { progress }),
    })
    if (JSON.stringify(next) === JSON.stringify(status)) return
    if (state !== status.state || reason !== status.reason) {
      log[reason === undefined ? 'info' : 'warn']('tool', { tool: tool.name, state, reason, detail: message })
      const why = { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) }
      deps.journal.record({ kind: 'tool', tool: tool.name, state, ...why })
    }
    status = next
    onStatus()
  }

  /** Writes one after the other; the new state counts only once it is on disk. */
  function save(change: (tool: AcceptedTool) => AcceptedTool): Promise<void> {
    const saved = saving.then(async () => {
      const next = change(tool)
      await files.save(next)
      tool = next
    })
    saving = saved.catch(() => undefined) // the caller has the error; the next one starts from the state before
    return saved
  }

  /** What the server offers now. The first offer of a generation is the one that later ones are held against. */
  async function learn(offer: McpInfo): Promise<void> {
    const before = info?.digest
    info = offer
    const accepted = offeredOf(tool)
    if (accepted === undefined) {
      const offered = { generation: tool.generation, digest: offer.digest }
      await save((current) => ({ ...current, offered, good: current.spec }))
    } else if (offer.digest !== accepted && offer.digest !== before) {
      log.warn('the capabilities of a tool have drifted', { tool: tool.name, accepted, now: offer.digest })
      const message = 'The server offers something else than when this generation was first spoken to'
      deps.journal.record({ kind: 'capabilities', tool: tool.name, message })
    }
  }

  /** A version that does not work makes place for the one before. */
  async function rolledBack(): Promise<boolean> {
    const { lasting, backoff } = memory
    const held = memory.held && { ...memory.held, message: secrets.redacted(tool.name, memory.held.message) }
    const back = rollbackOf(
      tool,
      held && { ...held, lasting, failures: backoff.failures },
      found !== undefined && isAlive(found.observed),
    )
    if (!back) return false
    await save((current) => ({ ...current, ...back }))
    log.warn('a version that does not work is taken back', { tool: tool.name, generation: tool.generation, ...held })
    info = undefined
    forgetFailures(memory)
    return true
  }

  /** A version that could not be had is wanted again. The one before serves on until it is here. */
  async function triedAgain(): Promise<boolean> {
    if (!isAwaited(tool)) return false
    memory.againAt ??= now() + AGAIN_MS
    if (now() < memory.againAt) return false
    await save(wantedAgain)
    forgetFailures(memory)
    return true
  }

  /** A container that somebody has changed is no longer what was asked for: it makes place for one that is. */
  async function drifted(signal: AbortSignal): Promise<boolean> {
    const differences = await driftOf({ tool, found, memory, containers: deps.containers }, signal)
    if (differences.length === 0) return false
    const { id } = found!.observed
    await save((current) => ({ ...current, replace: id, restarts: current.restarts + 1 }))
    const message = `The container was changed from outside, and is made anew: ${differences.join(', ')}`
    log.warn('a container was changed from outside', { tool: tool.name, differences })
    deps.journal.record({ kind: 'tool', tool: tool.name, state: status.state, reason: 'policy_denied', message })
    countFailure(memory, { state: 'exited', reason: 'policy_denied', message }, now())
    return true
  }

  async function advance(signal: AbortSignal): Promise<number> {
    found = await deps.containers.find(tool, signal)
    if (noteExit(memory, found, now())) deps.sessions.close(tool.name)
    if ((await rolledBack()) || (await triedAgain())) return 0
    if (await drifted(signal)) return 0
    const wanted = { ...tool, specHash: specHashOf(tool.spec) }
    const next = nextStep(
      wanted,
      found?.observed,
      { ...knownOf(memory), staleSecrets: isStale(tool.secretsVersion, secrets.of(tool.name)) },
      now(),
    )
    if (next.do === 'wait') {
      showRest()
      return next.ms ?? RESYNC_MS
    }
    const work: ToolAtWork = {
      get tool() {
        return tool
      },
      found,
      memory,
      show,
      note: (change) => save((current) => ({ ...current, ...change })),
      opened: learn,
      forgotten: () => {
        forgotten = true
      },
    }
    try {
      awaited = next.do === 'open' || next.do === 'check' ? next.container.id : undefined
      await steps[next.do](work, 'container' in next ? next.container : NO_CONTAINER, signal)
    } catch (error) {
      const failure = toolFailureOf(error)
      if (signal.aborted || isEngineTrouble(failure.reason)) throw error
      failed(work, failure)
      if (failure.reason === 'internal') log.error('tool step failed', { tool: tool.name, step: next.do, error })
      if (!HELD_BACK.has(next.do)) {
        show(tool.desired === 'running' ? memory.held!.state : 'stopping', memory.held)
        return memory.backoff.retryAt - now()
      }
    } finally {
      awaited = undefined
    }
    return 0
  }

  /** What is shown while there is nothing to do. */
  function showRest(): void {
    const running = found?.observed.state === 'running'
    if (tool.desired === 'running') {
      if (memory.held) show(memory.held.state, memory.held)
      else if (running && memory.session !== undefined && !memory.sessionLost) show('running')
    } else if (!running) show(found ? (found.observed.state === 'created' ? 'created' : 'exited') : 'none')
  }

  async function attempt(): Promise<number> {
    step = new AbortController()
    try {
      return await advance(AbortSignal.any([signal, step.signal]))
    } catch (error) {
      if (signal.aborted || step.signal.aborted) return 0
      const { reason, message } = toolFailureOf(error)
      // Docker did not say what is there: nothing is concluded from that, and nothing done.
      show('unknown', { reason, message })
      return DOCKER_RETRY_MS
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted && !forgotten) {
      const ms = await attempt()
      if (ms > 0 && !forgotten) await rest(Math.min(ms, RESYNC_MS))
      bell = Promise.withResolvers()
    }
    if (!forgotten) return
    gone.resolve()
    deps.onGone()
  }

  /** Until the bell rings, or the time is over. */
  async function rest(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = () => resolve()
    const timeout = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    await Promise.race([bell.promise, promise])
    clearTimeout(timeout)
    signal.removeEventListener('abort', done)
  }

  const stopped = run()
  return {
    get tool() {
      return tool
    },
    get status() {
      return status
    },
    get info() {
      return info
    },
    async accept(change) {
      const before = tool
      await save((current) => ({ ...current, ...change }))
      if (specHashOf(before.spec) !== specHashOf(tool.spec)) info = undefined
      forgetFailures(memory)
      const { generation, replace, desired } = tool
      const isAnother = generation !== before.generation || replace !== before.replace
      // What runs is what was wanted until now.
      if (isAnother && status.state === 'running') show(desired === 'running' ? 'starting' : 'stopping')
      else show(status.state, status)
      step.abort(new Error('Something else is wanted now'))
      bell.resolve()
    },
    wake(hint) {
      if (hint?.halted !== undefined && hint.halted === awaited) step.abort(new Error('The container does not run'))
      bell.resolve()
    },
    released(reason) {
      if (memory.held?.reason !== reason) return
      forgetFailures(memory)
      bell.resolve()
    },
    secretsChanged() {
      forgetFailures(memory)
      show(status.state) // why it did not run says nothing about the new ones
      if (awaited !== undefined) step.abort(new Error('It was started with other secrets'))
      bell.resolve()
    },
    sessionChanged(changed, why) {
      if (changed) {
        learn(changed)
          .catch((error: unknown) => log.warn('an offer could not be noted', { tool: tool.name, error }))
          .finally(() => show(status.state, status))
      } else {
        memory.sessionLost = true
        memory.broken = why?.message
        bell.resolve()
      }
    },
    gone: gone.promise,
    stopped,
  }
}

const knownOf = ({ image, session, sessionLost, broken, backoff, checkAt }: ToolMemory): Known => ({
  image,
  broken: broken !== undefined,
  session: sessionLost ? undefined : session,
  retryAt: backoff.retryAt,
  checkAt,
})

const NO_CONTAINER = { id: '', generation: 0, specHash: '', state: 'removing' } as const

function rolledBackIn({ refused, generation }: AcceptedTool): Pick<ToolStatus, 'reason' | 'message'> {
  if (refused?.generation !== generation) return {}
  return { reason: 'rolled_back', message: `The version before runs. This one failed: ${refused.message}` }
}

const offeredOf = ({ offered, generation }: AcceptedTool): string | undefined =>
  offered?.generation === generation ? offered.digest : undefined

const isEngineTrouble = (reason: string): boolean => reason === 'docker_down' || reason === 'docker_hung'
