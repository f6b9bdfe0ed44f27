import type { ToolReason, ToolState } from '../contract/tool.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { type Backoff, CRASH_LOOP, failedOnce, NO_BACKOFF } from './backoff.ts'
import { HEALTHY, type Health } from './health.ts'
import type { FoundContainer } from './tool-containers.ts'
import type { ToolChannel } from './tool-sessions.ts'

/** What is shown of a tool that waits for its next try. */
export interface Held {
  readonly state: ToolState
  readonly reason: ToolReason
  readonly message: string
}

/** What one run of DTMA knows of a tool beside what is on disk and in Docker. Times are monotonic milliseconds. */
export interface ToolMemory {
  image: 'unknown' | 'absent' | 'present'
  /** Container with which a session is open. */
  session: string | undefined
  sessionSince: number
  /** The session broke off; whether the server did too is not known yet. */
  sessionLost: boolean
  /** What the running server did that no session survives. */
  broken: string | undefined
  checkAt: number
  health: Health
  backoff: Backoff
  held: Held | undefined
  /** The failure behind `held` cannot be mended by trying again soon. */
  lasting: boolean
  /** When a version that could not be had is tried again, while the one before runs. */
  againAt: number | undefined
  /** Containers that we created, started and stopped ourselves, last of each kind. */
  created: string | undefined
  started: string | undefined
  stopped: string | undefined
  /** Container with which a handshake succeeded in this run. */
  greeted: string | undefined
  /** Revision of MCP that the server of a container spoke last. */
  spoken: { readonly container: string; readonly revision: string } | undefined
  /** Attached before the start, to be handed to the session. */
  channel: { readonly container: string; readonly channel: ToolChannel } | undefined
  /** What the running container looked like when it was last compared with what was asked for. */
  shape: string | undefined
  /** The exit that was seen last: container and time. */
  seenExit: string | undefined
}

export const newMemory = (): ToolMemory => ({
  image: 'unknown',
  session: undefined,
  sessionSince: 0,
  sessionLost: false,
  broken: undefined,
  checkAt: 0,
  health: HEALTHY,
  backoff: NO_BACKOFF,
  held: undefined,
  lasting: false,
  againAt: undefined,
  created: undefined,
  started: undefined,
  stopped: undefined,
  greeted: undefined,
  spoken: undefined,
  channel: undefined,
  shape: undefined,
  seenExit: undefined,
})

const FIRST_RESTART_MS = 1_000

/** Everything that says "try at once", when somebody asked for something new. What is true of containers stays. */
export function forgetFailures(memory: ToolMemory): void {
  memory.image = 'unknown'
  memory.backoff = NO_BACKOFF
  memory.held = undefined
  memory.lasting = false
  memory.againAt = undefined
}

/** Counts a failure of the running server and sets the time of the next try. */
export function countFailure(memory: ToolMemory, held: Held, now: number): void {
  const wellFor = memory.session === undefined ? 0 : now - memory.sessionSince
  memory.backoff = failedOnce(memory.backoff, now, FIRST_RESTART_MS, wellFor)
  memory.held = held
  memory.lasting = false
}

/**
 * Takes note of an exit, once. An exit that we asked for, or that happened before this run of DTMA, is no failure.
 * @returns Whether it is one.
 */
export function noteExit(memory: ToolMemory, found: FoundContainer | undefined, now: number): boolean {
  if (found?.observed.state !== 'exited') return false
  const { id } = found.observed
  const exit = `${id} ${found.details.State.FinishedAt}`
  if (memory.seenExit === exit) return false
  memory.seenExit = exit
  const unexpected = memory.stopped !== id && (memory.started === id || memory.session === id)
  if (unexpected) countFailure(memory, heldOf(found.details, memory.backoff.failures + 1), now)
  memory.session = undefined
  memory.sessionLost = false
  return unexpected
}

/** Counts it as a failure that the server did what no session survives, once. */
export function noteBroken(memory: ToolMemory, now: number): void {
  const { broken: message, backoff } = memory
  memory.broken = undefined
  if (message === undefined) return
  countFailure(memory, { state: 'exited', reason: exitReasonOf(backoff.failures + 1), message }, now)
}

const exitReasonOf = (failures: number): ToolReason => (failures >= CRASH_LOOP ? 'crash_loop' : 'exited')

function heldOf({ State }: ContainerDetails, failures: number): Held {
  if (State.OOMKilled)
    return { state: 'exited', reason: 'oom_killed', message: 'The tool used more memory than its limit and was killed' }
  const message = `The server exited with code ${State.ExitCode}; its log may say why`
  return { state: 'exited', reason: exitReasonOf(failures), message }
}
