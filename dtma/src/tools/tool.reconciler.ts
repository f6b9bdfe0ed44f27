import type { DockerState } from '../contract/status.ts'
import type { ToolStatus } from '../contract/tool.ts'
import { type EngineWatch, type EngineWatchDeps, watchEngine } from '../engine/engine.watch.ts'
import type { AcceptedTool } from './spec-file.ts'
import { startToolWorker, type ToolWorker, type ToolWorkerDeps } from './tool.worker.ts'
import { LABEL } from './tool-labels.ts'

/** All tools of the toolbox, each with a worker of its own that brings it to where it is wanted. */
export interface ToolReconciler {
  readonly docker: DockerState
  find(name: string): ToolWorker | undefined
  list(): readonly ToolWorker[]
  /** Begins to work on a tool that was saved already. */
  add(tool: AcceptedTool): ToolWorker
  /** Called after any status has changed, or Docker's. */
  onChange(listener: () => void): void
  /** Resolves once nothing is being worked on any more, after the signal. */
  stopped(): Promise<void>
}

export type ToolReconcilerDeps = Omit<ToolWorkerDeps, 'imageInUse' | 'onStatus' | 'onGone'> & {
  readonly docker: ToolWorkerDeps['docker'] & EngineWatchDeps['docker']
  /** As they were when DTMA stopped. */
  readonly tools: readonly AcceptedTool[]
}

/** After these nothing is to be heard from a container. */
const HALTS: ReadonlySet<string> = new Set(['die', 'pause'])
/** Besides: what may have happened to a container without us. */
const NEWS: ReadonlySet<string> = new Set(['destroy', 'start', 'unpause', 'update', 'rename'])

export function startToolReconciler({ tools, ...deps }: ToolReconcilerDeps): ToolReconciler {
  const { docker, files, sessions, signal } = deps
  const workers = new Map<string, ToolWorker>()
  const listeners: (() => void)[] = []
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const imageInUse = (reference: string, exceptFor: string): boolean =>
    [...workers.values()].some(({ tool }) => tool.name !== exceptFor && tool.images.includes(reference))

  function add(tool: AcceptedTool): ToolWorker {
    const onGone = () => {
      workers.delete(tool.name)
      changed()
    }
    const worker = startToolWorker(tool, { ...deps, imageInUse, onStatus: changed, onGone })
    workers.set(tool.name, worker)
    return worker
  }

  let told: DockerState['state'] | undefined
  sessions.onChange((name, info, why) => workers.get(name)?.sessionChanged(info, why))
  for (const tool of tools) add(tool)

  const watch: EngineWatch = watchEngine({
    docker,
    label: `${LABEL.owner}=${files.owner}`,
    onEvent: ({ Action, Actor }) => {
      const worker = workers.get(Actor.Attributes[LABEL.instance] ?? '')
      if (HALTS.has(Action)) worker?.wake({ halted: Actor.ID })
      else if (NEWS.has(Action)) worker?.wake()
    },
    onState: ({ state, message }) => {
      if (state !== told) deps.journal.record({ kind: 'docker', state, ...(message === undefined ? {} : { message }) })
      told = state
      for (const worker of workers.values()) {
        // A Docker that has come back has made its firewall anew.
        if (state === 'ok') worker.released('isolation_failed')
        worker.wake()
      }
      changed()
    },
    signal,
  })

  return {
    get docker() {
      return watch.state
    },
    find: (name) => workers.get(name),
    list: () => [...workers.values()].sort((a, b) => (a.tool.name < b.tool.name ? -1 : 1)),
    add,
    onChange: (listener) => void listeners.push(listener),
    stopped: () =>
      Promise.all([watch.stopped, ...[...workers.values()].map(({ stopped }) => stopped)]).then(() => undefined),
  }
}

export const statusesOf = (tools: Pick<ToolReconciler, 'list'>): ToolStatus[] =>
  tools.list().map(({ status }) => status)
