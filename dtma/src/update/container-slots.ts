import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import type { Slot } from './next-move.ts'
import { ATTEMPT_LABEL, nextNameOf, successorOf } from './own-container.ts'
import type { Slots } from './switcher.ts'
import type { ContainerSwitch } from './update.journal.ts'

const STOP_GRACE_SECONDS = 20

/** DTMA in a container: the old one under its name, the next one beside it under another until it has proven itself. */
export function containerSlots(docker: DockerApi, attempt: string, { old, name, image }: ContainerSwitch): Slots {
  const nextName = nextNameOf(name)

  async function findOld(signal: AbortSignal): Promise<ContainerDetails | undefined> {
    return docker.inspectContainer(old, signal)
  }

  /** By its label: under the one name or, when it was renamed already, under the other. */
  async function findNext(signal: AbortSignal): Promise<ContainerDetails | undefined> {
    for (const candidate of [nextName, name]) {
      const found = await docker.inspectContainer(candidate, signal)
      if (found && found.Id !== old && attemptOf(found) === attempt) return found
    }
    return undefined
  }

  const idOf = async (find: Promise<ContainerDetails | undefined>): Promise<string> => {
    const found = await find
    if (!found) throw new Error('The container of DTMA is gone')
    return found.Id
  }

  return {
    async look(signal) {
      const [oldOne, next] = [await findOld(signal), await findNext(signal)]
      return { ...(oldOne ? { old: slotOf(oldOne) } : {}), ...(next ? { next: slotOf(next) } : {}) }
    },
    async makeNext(signal) {
      const container = await findOld(signal)
      if (!container) throw new Error('The container of the DTMA that is to be replaced is gone')
      const ownImage = await docker.inspectImage(container.Image, signal)
      if (!ownImage) throw new Error('The image of the DTMA that is to be replaced is gone')
      const left = await docker.inspectContainer(nextName, signal)
      if (left) {
        if (attemptOf(left) === undefined) throw new Error(`A container named ${nextName} exists that is not ours`)
        await docker.removeContainer(left.Id, signal) // of an attempt that is over
      }
      await docker.copyContainer(nextName, successorOf({ container, image: ownImage }, image, attempt), signal)
    },
    startNext: async (signal) => docker.startContainer(await idOf(findNext(signal)), signal),
    startOld: (signal) => docker.startContainer(old, signal),
    stopOld: (signal) => docker.stopContainer(old, STOP_GRACE_SECONDS, signal),
    removeOld: (signal) => docker.removeContainer(old, signal),
    async removeNext(signal) {
      const next = await findNext(signal)
      if (!next) return
      await docker.stopContainer(next.Id, STOP_GRACE_SECONDS, signal)
      await docker.removeContainer(next.Id, signal)
    },
    async settle(signal) {
      const next = await findNext(signal)
      if (next && next.Name !== `/${name}`) await docker.renameContainer(next.Id, name, signal)
    },
  }
}

const attemptOf = ({ Config }: ContainerDetails): string | undefined =>
  (Config['Labels'] as Record<string, string> | null)?.[ATTEMPT_LABEL]

function slotOf({ State, RestartCount }: ContainerDetails): Slot {
  const state = State.Status === 'restarting' ? 'restarting' : State.Running ? 'running' : 'stopped'
  return { state, restarts: RestartCount }
}
