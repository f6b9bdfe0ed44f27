import { UpdateFailure } from './download.ts'
import type { Programs } from './programs.ts'
import type { Slots } from './switcher.ts'
import type { Trial } from './trial.ts'

export interface ServiceSlotsDeps {
  readonly programs: Programs
  /** Of the new program. */
  readonly name: string
  readonly trial: Trial
  /** Runs the new program. */
  readonly command: (file: string) => readonly [string, ...string[]]
}

/**
 * DTMA as a service of the system: the switcher is the service's own process meanwhile, so the old one stands still for as
 * long; it starts when the switcher ends. Which one starts then is what `current` says.
 */
export function serviceSlots({ programs, name, trial, command }: ServiceSlotsDeps): Slots {
  let oldIsNext = false
  return {
    async look() {
      const isReplaced = (await programs.current()) === name
      return {
        ...(isReplaced ? {} : { old: { state: oldIsNext ? 'running' : 'stopped', restarts: 0 } as const }),
        ...((await programs.has(name)) ? { next: trial.slot } : {}),
      }
    },
    async makeNext() {
      throw new UpdateFailure('load_failed', 'Somebody has removed the new program')
    },
    startNext: async () => trial.start(command(programs.fileOf(name))),
    async startOld() {
      oldIsNext = true
    },
    async stopOld() {
      oldIsNext = false
    },
    removeOld: () => programs.makeCurrent(name),
    async removeNext() {
      await trial.stop()
      await programs.remove(name)
    },
    settle: () => programs.clear(),
  }
}
