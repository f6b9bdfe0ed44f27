import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Log } from '../log.ts'
import type { Slot } from './next-move.ts'

/** The new DTMA while it has to prove itself: a child of the old version's program, which starts it again when it ends. */
export interface Trial {
  readonly slot: Slot
  /** Nothing happens when it runs already. */
  start(command: readonly [string, ...string[]]): void
  /** Resolves when it has ended. */
  stop(): Promise<void>
}

export interface TrialDeps {
  readonly log: Log
  /** Between an end and the next start, milliseconds. */
  readonly restartMs: number
  /** From being asked to end to being killed, milliseconds. */
  readonly graceMs: number
}

export function createTrial({ log, restartMs, graceMs }: TrialDeps): Trial {
  let child: ChildProcess | undefined
  let again: NodeJS.Timeout | undefined
  let restarts = 0
  let isWanted = false

  function run([program, ...args]: readonly [string, ...string[]]): void {
    const mine = spawn(program, args, { stdio: 'inherit' })
    child = mine
    let isOver = false
    const over = (how: Readonly<Record<string, unknown>>): void => {
      if (isOver) return // an error may be followed by an exit, or not
      isOver = true
      child = undefined
      if (!isWanted) return
      restarts += 1
      log.warn('the new DTMA has ended', { ...how, restarts })
      again = setTimeout(() => run([program, ...args]), restartMs)
    }
    mine.once('error', (error) => over({ error }))
    mine.once('exit', (code, signal) => over({ code, signal }))
  }

  const stateNow = (): Slot['state'] => (child ? 'running' : isWanted ? 'restarting' : 'stopped')

  return {
    get slot() {
      return { state: stateNow(), restarts }
    },
    start(command) {
      if (isWanted) return
      isWanted = true
      run(command)
    },
    async stop() {
      isWanted = false
      clearTimeout(again)
      const ending = child
      if (!ending) return
      const ended = once(ending, 'exit')
      ending.kill('SIGTERM')
      const hurry = setTimeout(() => ending.kill('SIGKILL'), graceMs)
      await ended
      clearTimeout(hurry)
    },
  }
}
