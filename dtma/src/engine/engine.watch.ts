import type { Confinement, DockerState } from '../contract/status.ts'
import { confinementOf } from './confinement.ts'
import type { DockerApi } from './docker.api.ts'
import type { EngineEvent } from './docker.types.ts'
import { EngineError } from './engine-error.ts'

export interface EngineWatchDeps {
  readonly docker: Pick<DockerApi, 'version' | 'info' | 'events'>
  /** Only events of containers that carry this label are passed on. */
  readonly label: string
  readonly onEvent: (event: EngineEvent) => void
  /** Called when the state changes; also whenever events may have been missed. */
  readonly onState: (state: DockerState) => void
  readonly signal: AbortSignal
}

export interface EngineWatch {
  readonly state: DockerState
  readonly stopped: Promise<void>
}

const LOOK_EVERY_MS = 15_000
const RETRY_MS = 2_000

/** Knows whether Docker answers, and follows its events while it does. */
export function watchEngine({ docker, label, onEvent, onState, signal }: EngineWatchDeps): EngineWatch {
  let state: DockerState = { state: 'down', message: 'Docker was not asked yet' }

  /** Changes with a restart of the engine alone, which ends its events. */
  let confinement: Confinement | undefined

  async function look(): Promise<boolean> {
    let next = await stateOf(docker, signal)
    if (next.state === 'ok') {
      confinement ??= await docker.info(signal).then(
        ({ SecurityOptions }) => confinementOf(SecurityOptions),
        () => undefined, // asked again at the next look
      )
      if (confinement) next = { ...next, confinement }
    }
    const changed = JSON.stringify(next) !== JSON.stringify(state)
    state = next
    if (changed && !signal.aborted) onState(state)
    return state.state === 'ok'
  }

  /** Rejects or returns when the stream ends, which it does with the engine. */
  async function follow(stop: AbortSignal): Promise<void> {
    for await (const event of docker.events(label, stop)) onEvent(event)
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (!(await look())) {
        await pause(RETRY_MS, signal)
        continue
      }
      const stop = new AbortController()
      const following = follow(AbortSignal.any([signal, stop.signal])).catch(() => undefined) // its end says it all: we look
      const ended = following.then(() => true)
      while (!signal.aborted && !(await Promise.race([ended, pause(LOOK_EVERY_MS, signal)])) && (await look()));
      stop.abort()
      await following
      confinement = undefined
      if (!signal.aborted) await pause(RETRY_MS / 10, signal)
      onState(state)
    }
  }

  const stopped = run()
  return {
    get state() {
      return state
    },
    stopped,
  }
}

async function stateOf(docker: Pick<DockerApi, 'version'>, signal: AbortSignal): Promise<DockerState> {
  try {
    return { state: 'ok', version: (await docker.version(signal)).Version }
  } catch (error) {
    const hung = error instanceof EngineError && error.fault === 'hung'
    return { state: hung ? 'hung' : 'down', message: error instanceof Error ? error.message : String(error) }
  }
}

/** Resolves to false after `ms`, or at once when `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<false> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = () => resolve()
  const timeout = setTimeout(done, ms)
  signal.addEventListener('abort', done, { once: true })
  await promise
  clearTimeout(timeout)
  signal.removeEventListener('abort', done)
  return false
}
