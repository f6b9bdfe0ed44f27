import { problem } from '../contract/problems.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import { LABEL } from '../tools/tool-labels.ts'
import { clearEarlierImages, loadRelease } from './load-image.ts'
import { switcherNameOf, switcherOf } from './own-container.ts'
import type { Installation } from './self-update.ts'

export interface ContainerInstallationDeps {
  readonly docker: DockerApi
  readonly owner: string
  /** Origin of the control plane. */
  readonly baseUrl: string
  /** The container that this process runs in. */
  readonly self: ContainerDetails
}

/** DTMA in a container. */
export function containerInstallation({ docker, owner, baseUrl, self }: ContainerInstallationDeps): Installation {
  const switcher = switcherNameOf(owner)
  return {
    kind: 'container',
    sourceOf({ image, version }) {
      if (!image) throw problem('update-unavailable', `The release ${version} brings no image, and this DTMA needs one`)
      return { url: `${baseUrl}/dtma/image/${image.id}`, size: image.size, sha256: image.sha256 }
    },
    async prepare(file, { version }, signal) {
      await clearEarlierImages(docker, self.Image, signal)
      const image = await loadRelease(docker, file, version, signal)
      const now = await docker.inspectContainer(self.Id, signal) // it may have been renamed since we were started
      return { old: self.Id, name: (now ?? self).Name.replace(/^\//, ''), image }
    },
    async ensureSwitcher(signal) {
      const found = await docker.inspectContainer(switcher, signal)
      if (found) {
        if (found.Config.Labels[LABEL.owner] !== owner)
          throw new Error(`A container named ${switcher} exists that is not ours`)
        if (!found.State.Running) await docker.startContainer(found.Id, signal)
        return
      }
      const image = await docker.inspectImage(self.Image, signal)
      if (!image) throw new Error('The image of this DTMA is gone')
      const id = await docker.copyContainer(switcher, switcherOf({ container: self, image }, owner), signal)
      await docker.startContainer(id, signal)
    },
    isOld: async ({ switch: to }) => to !== undefined && 'old' in to && to.old === self.Id,
  }
}
