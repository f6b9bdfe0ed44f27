import type { GroupFailure, GroupStatus } from '../contract/group.ts'
import { ProblemError } from '../contract/problem.ts'
import type { ToolStatus } from '../contract/tool.ts'
import type { Log } from '../log.ts'
import type { ToolRegistry } from '../tools/tool-registry.ts'
import { type GroupMove, nextMove } from './group.move.ts'
import type { AcceptedGroup, GroupFiles } from './group-file.ts'

export interface GroupWorkerDeps {
  readonly registry: Pick<ToolRegistry, 'put' | 'delete'>
  /** `undefined`: there is no such tool. */
  readonly statusOf: (name: string) => ToolStatus | undefined
  readonly files: GroupFiles
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly date: () => Date
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly onGone: () => void
  readonly signal: AbortSignal
}

/** Brings one group to where it is wanted, for as long as DTMA runs. */
export interface GroupWorker {
  readonly group: AcceptedGroup
  readonly status: GroupStatus
  /** The group and its tools are to go. On disk when it resolves. */
  remove(): Promise<void>
  /** Something has changed: look soon. */
  wake(): void
  /** Resolves once nothing of it is left. */
  readonly gone: Promise<void>
  readonly stopped: Promise<void>
}

const LOOK_MS = 2_000
const RETRY_MS = 5_000
/** A tool that takes longer than this to be pulled, built and spoken to has failed. */
const READY_MS = 900_000

export function startGroupWorker(first: AcceptedGroup, deps: GroupWorkerDeps): GroupWorker {
  const { registry, statusOf, files, log, now, signal } = deps
  const gone = Promise.withResolvers<void>()
  let group = first
  let nap = new AbortController()
  let progressedAt = now()
  let saving: Promise<unknown> = Promise.resolve()

  /** One after the other: somebody may ask for the end while a step is noted. */
  function note(change: (group: AcceptedGroup) => Partial<AcceptedGroup>): Promise<void> {
    const mine = saving.then(async () => {
      const next = { ...group, ...change(group) }
      if (next.state !== group.state) next.since = deps.date().toISOString()
      await files.save(next)
      group = next
    })
    saving = mine.catch(() => undefined) // the caller has the error
    return mine
  }

  async function begin({ name, generation, spec }: Extract<GroupMove, { kind: 'begin' }>['member']): Promise<void> {
    progressedAt = now()
    await note(({ begun }) => ({ begun: [...new Set([...begun, name])] }))
    try {
      await registry.put(name, { generation, desired: 'running', spec })
    } catch (error) {
      if (!(error instanceof ProblemError) || error.kind.retryable) throw error
      await fail({ tool: name, message: error.message })
    }
  }

  const fail = (failure: GroupFailure) =>
    note(({ state }) => (state === 'deploying' ? { state: 'undoing', failure } : {}))

  async function act(move: GroupMove): Promise<void> {
    switch (move.kind) {
      case 'begin':
        return begin(move.member)
      case 'remove':
        await registry.delete(move.name)
        if (statusOf(move.name)) return // it takes longer
        return note(({ begun }) => ({ begun: begun.filter((name) => name !== move.name) }))
      case 'undo':
        log.warn('a group is undone', { group: group.id, ...move.failure })
        return fail(move.failure)
      case 'ready':
        return note(({ state }) => (state === 'deploying' ? { state: 'ready' } : {}))
      case 'failed':
        return note(({ state }) => (state === 'undoing' ? { state: 'failed' } : {}))
      case 'gone':
        await files.remove(group.id)
        deps.onGone()
        return gone.resolve()
      default:
        nap = new AbortController()
        return deps.sleep(LOOK_MS, AbortSignal.any([signal, nap.signal]))
    }
  }

  async function run(): Promise<void> {
    let move: GroupMove['kind'] | undefined
    while (!signal.aborted && move !== 'gone') {
      try {
        const { state, members, begun } = group
        const next = nextMove({ state, members, begun, statusOf, isOverdue: now() - progressedAt > READY_MS })
        await act(next)
        move = next.kind
      } catch (error) {
        log.warn('a step of a group failed; it is tried again', { group: group.id, error })
        await deps.sleep(RETRY_MS, signal)
      }
    }
  }

  return {
    get group() {
      return group
    },
    get status() {
      return viewOf(group, statusOf)
    },
    async remove() {
      await note(() => ({ state: 'removing' }))
      nap.abort()
    },
    wake: () => nap.abort(),
    gone: gone.promise,
    stopped: run(),
  }
}

function viewOf(
  { id, state, since, members, begun, failure }: AcceptedGroup,
  statusOf: GroupWorkerDeps['statusOf'],
): GroupStatus {
  return {
    id,
    state,
    since,
    ...(failure ? { failure } : {}),
    tools: members.map(({ name }) => ({
      name,
      state: begun.includes(name) ? (statusOf(name)?.state ?? 'none') : state === 'deploying' ? 'waiting' : 'none',
    })),
  }
}
