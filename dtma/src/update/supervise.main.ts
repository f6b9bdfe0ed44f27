import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { systemClock } from '../uplink/clock.ts'
import { createPrograms } from './programs.ts'
import { serviceSlots } from './service-slots.ts'
import { runSwitcher } from './switcher.ts'
import { createTrial } from './trial.ts'
import { type UpdateJournal, updateFiles } from './update.journal.ts'

/** On the command line of a new DTMA that has to prove itself: its parent is the switcher. */
export const TRIAL = 'trial'

/** The switcher's part of an update. */
const SWITCHING: ReadonlySet<UpdateJournal['phase']> = new Set(['switching', 'proving', 'accepted', 'falling_back'])

const RESTART_MS = 1_000
/** systemd gives the whole service 20 s. */
const GRACE_MS = 10_000

/**
 * The switcher of a DTMA that is a service: in place of DTMA, and the new one is its child. Whatever kills it ends both, and
 * systemd starts it again, on the program that was known to work.
 * @returns Whether an update was to be switched: then this process has nothing more to do.
 */
export async function superviseMain(
  { programsDirectory, stateDirectory }: Config,
  log: Log,
  signal: AbortSignal,
): Promise<boolean> {
  const files = updateFiles(stateDirectory)
  const journal = programsDirectory === undefined ? undefined : await files.journal.read()
  if (programsDirectory === undefined || !journal || !SWITCHING.has(journal.phase)) return false
  const to = journal.switch
  if (!to || !('program' in to)) return false // of another installation on this machine: it is over, as DTMA will say

  const programs = createPrograms(programsDirectory)
  const trial = createTrial({ log, restartMs: RESTART_MS, graceMs: GRACE_MS })
  const { execPath, execArgv } = process
  const slots = serviceSlots({
    programs,
    name: to.program,
    trial,
    command: (file) => [execPath, ...execArgv, file, TRIAL],
  })
  try {
    const end = await runSwitcher(
      {
        files,
        slotsOf: () => slots,
        log,
        now: () => performance.now(),
        date: () => new Date(),
        sleep: systemClock.sleep,
      },
      signal,
    )
    log.info('the update is over', { phase: end?.phase, version: end?.version })
  } finally {
    await trial.stop()
  }
  return true
}
