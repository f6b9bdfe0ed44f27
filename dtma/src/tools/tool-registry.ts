import { randomBytes } from 'node:crypto'
import { problem } from '../contract/problems.ts'
import type { ToolRequest, ToolStatus } from '../contract/tool.ts'
import type { SecretValues } from '../contract/tool-secret.ts'
import { isAtRest } from './at-rest.ts'
import type { AcceptedTool, SpecFiles } from './spec-file.ts'
import { statusesOf, type ToolReconciler } from './tool.reconciler.ts'
import type { ToolWorker } from './tool.worker.ts'
import { specHashOf } from './tool-labels.ts'
import type { ToolSecrets } from './tool-secrets.ts'
import type { McpInfo } from './tool-sessions.ts'

/** The operations on tools behind the API. A change is on disk when it resolves; the reconciler carries it out. */
export interface ToolRegistry {
  list(): ToolStatus[]
  /** @throws {ProblemError} `tool-not-found`, as all that name a tool, unless said otherwise. */
  get(name: string): ToolStatus
  /** The same once it is at rest, or after so long. @throws The signal's reason, when it aborts before. */
  rested(name: string, ms: number, signal: AbortSignal): Promise<ToolStatus>
  /** What its server said about itself last. @throws {ProblemError} `tool-not-running` when it never did. */
  info(name: string): McpInfo
  /** @throws {ProblemError} `tool-exists` */
  create(name: string, request: ToolRequest): Promise<ToolStatus>
  /** @throws {ProblemError} `stale-generation`; never `tool-not-found` */
  put(name: string, request: ToolRequest): Promise<ToolStatus>
  /** Succeeds when there is no such tool. Resolves when it is gone, or after a while when that takes long. */
  delete(name: string): Promise<void>
  start(name: string): Promise<ToolStatus>
  stop(name: string): Promise<ToolStatus>
  restart(name: string): Promise<ToolStatus>
  /** Nothing of it is written to disk. @throws {ProblemError} `invalid-request` when the tool takes no such secret. */
  holdSecrets(name: string, values: SecretValues): Promise<ToolStatus>
  withdrawSecrets(name: string): Promise<ToolStatus>
}

export interface ToolRegistryDeps {
  readonly tools: ToolReconciler
  readonly files: SpecFiles
  readonly secrets: ToolSecrets
  /** How long a deletion is waited for, in milliseconds. */
  readonly deletionMs?: number
}

/** As many as one heartbeat can report. */
const MAX_TOOLS = 1_000

export function createToolRegistry({ tools, files, secrets, deletionMs = 25_000 }: ToolRegistryDeps): ToolRegistry {
  /** Changes of one name one after the other: two creates of one name cannot both find nothing. */
  const turns = new Map<string, Promise<unknown>>()

  function inTurn<T>(name: string, act: () => Promise<T>): Promise<T> {
    const turn = (turns.get(name) ?? Promise.resolve()).then(act, act)
    const settled = turn.catch(() => undefined) // the caller has the error
    turns.set(name, settled)
    void settled.then(() => turns.get(name) === settled && turns.delete(name))
    return turn
  }

  function existing(name: string): ToolWorker {
    const worker = tools.find(name)
    if (!worker || worker.tool.desired === 'absent') throw problem('tool-not-found', `No tool is named ${name}`)
    return worker
  }

  const waiting = new Set<() => void>()
  tools.onChange(() => {
    for (const look of waiting) look()
  })

  async function add(name: string, { generation, desired, spec }: ToolRequest): Promise<ToolStatus> {
    if (tools.list().length >= MAX_TOOLS) throw problem('too-busy', `A toolbox holds at most ${MAX_TOOLS} tools`)
    const claim = randomBytes(16).toString('hex')
    const tool: AcceptedTool = { name, generation, desired, spec, claim, restarts: 0, images: [] }
    await stored(files.save(tool))
    return tools.add(tool).status
  }

  /** The tool of this name, unless there is none or a former one has just been deleted. */
  async function settled(name: string): Promise<ToolWorker | undefined> {
    const worker = tools.find(name)
    if (worker?.tool.desired !== 'absent') return worker
    if (!(await within(worker.gone, deletionMs)))
      throw problem('too-busy', `The former tool ${name} is still being removed`)
    return undefined
  }

  async function accept(worker: ToolWorker, change: Parameters<ToolWorker['accept']>[0]): Promise<ToolStatus> {
    await stored(worker.accept(change))
    return worker.status
  }

  return {
    list: () => statusesOf(tools),
    get: (name) => existing(name).status,
    async rested(name, ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = () => {
        const status = tools.find(name)?.status
        if (!status || isAtRest(status)) resolve()
      }
      const leave = () => reject(signal.reason)
      const late = setTimeout(resolve, ms)
      signal.addEventListener('abort', leave, { once: true })
      waiting.add(look)
      look()
      try {
        await promise
      } finally {
        waiting.delete(look)
        signal.removeEventListener('abort', leave)
        clearTimeout(late)
      }
      return existing(name).status
    },
    info(name) {
      const { info, status } = existing(name)
      if (!info)
        throw problem('tool-not-running', `The tool ${name} is ${status.state}: its server has not said anything yet`)
      return info
    },

    create: (name, request) =>
      inTurn(name, async () => {
        if (await settled(name)) throw problem('tool-exists', `A tool named ${name} exists`)
        return add(name, request)
      }),

    put: (name, request) =>
      inTurn(name, async () => {
        const worker = await settled(name)
        if (!worker) return add(name, request)
        const change = changeOf(worker.tool, request)
        return change ? accept(worker, change) : worker.status
      }),

    delete: (name) =>
      inTurn(name, async () => {
        const worker = tools.find(name)
        if (!worker) return
        secrets.drop(name)
        if (worker.tool.desired !== 'absent') await stored(worker.accept({ desired: 'absent' }))
        await within(worker.gone, deletionMs)
      }),

    start: (name) => inTurn(name, () => accept(existing(name), { desired: 'running' })),
    stop: (name) => inTurn(name, () => accept(existing(name), { desired: 'stopped' })),
    restart: (name) =>
      inTurn(name, () => {
        const worker = existing(name)
        const { containerId } = worker.tool
        return accept(worker, { desired: 'running', ...(containerId === undefined ? {} : { replace: containerId }) })
      }),

    holdSecrets: (name, values) =>
      inTurn(name, async () => {
        const worker = existing(name)
        const declared = new Set(worker.tool.spec.secrets?.map((secret) => secret.name))
        const unknown = Object.keys(values.values).filter((secret) => !declared.has(secret))
        if (unknown.length > 0 || declared.size === 0)
          throw problem('invalid-request', `The tool ${name} takes no secret named ${unknown.join(', ') || 'so'}`)
        const before = secrets.of(name)
        secrets.hold(name, values)
        if (before === undefined || before === 'withdrawn' || before.version !== values.version) worker.secretsChanged()
        return worker.status
      }),

    withdrawSecrets: (name) =>
      inTurn(name, async () => {
        const worker = existing(name)
        secrets.withdraw(name)
        worker.secretsChanged()
        return worker.status
      }),
  }
}

/**
 * What a request changes of an accepted tool; `undefined`: nothing, it was accepted before.
 * @throws {ProblemError} `stale-generation`
 */
export function changeOf(accepted: AcceptedTool, request: ToolRequest): Partial<AcceptedTool> | undefined {
  const { name, generation } = accepted
  if (request.generation < generation)
    throw problem(
      'stale-generation',
      `Generation ${generation} of ${name} was accepted, ${request.generation} comes too late`,
    )
  if (request.generation > generation) return { ...request, restarts: 0 }
  const asked = accepted.refused?.generation === generation ? accepted.refused.spec : accepted.spec
  if (specHashOf(request.spec) !== specHashOf(asked))
    throw problem('stale-generation', `Generation ${generation} of ${name} was accepted with another spec`)
  return request.desired === accepted.desired ? undefined : { desired: request.desired }
}

/** A full or read-only disk is no fault of the request. */
async function stored(saving: Promise<void>): Promise<void> {
  try {
    await saving
  } catch (error) {
    throw problem('state-not-writable', 'The change could not be written to the state directory and was not accepted', {
      cause: error,
    })
  }
}

/** Whether it resolved in time. */
async function within(awaited: Promise<void>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const timeout = setTimeout(() => resolve(false), ms)
  const inTime = await Promise.race([awaited.then(() => true), late])
  clearTimeout(timeout)
  return inTime
}
