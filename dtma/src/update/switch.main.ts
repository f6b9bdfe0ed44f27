import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import type { Log } from '../log.ts'
import { systemClock } from '../uplink/clock.ts'
import { containerSlots } from './container-slots.ts'
import { switcherNameOf } from './own-container.ts'
import { runSwitcher } from './switcher.ts'
import { updateFiles } from './update.journal.ts'

/** The switcher as a program: the image of DTMA runs it, in a container that removes itself when it has nothing left to do. */
export async function switchMain(
  { docker: { socketPath }, stateDirectory }: Config,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const docker = createDockerApi(createEngineHttp(socketPath))
  const owner = (await readFile(join(stateDirectory, 'owner'), 'utf8')).trim()
  const end = await runSwitcher(
    {
      files: updateFiles(stateDirectory),
      slotsOf: ({ attempt, switch: to }) => {
        if (!to || !('old' in to))
          throw new Error('The journal of the update does not say which container is to be switched')
        return containerSlots(docker, attempt, to)
      },
      log,
      now: () => performance.now(),
      date: () => new Date(),
      sleep: systemClock.sleep,
    },
    signal,
  )
  if (signal.aborted) return
  log.info('the update is over', { phase: end?.phase, version: end?.version })
  await docker.removeContainer(switcherNameOf(owner), signal) // the end of this process, too
}
