import { problem } from '../contract/problems.ts'
import { createPrograms } from './programs.ts'
import type { Installation } from './self-update.ts'

export interface ServiceInstallationDeps {
  /** Of later versions. */
  readonly directory: string
  /** Origin of the control plane. */
  readonly baseUrl: string
  /** This process is the new one, and the switcher its parent. */
  readonly onTrial: boolean
  /** This process begins anew; an update that is to be switched makes it the switcher. */
  readonly restart: () => void
}

/** DTMA as a service of the system: what was fetched is a program, and the present one's process makes way for the switcher. */
export function serviceInstallation({ directory, baseUrl, onTrial, restart }: ServiceInstallationDeps): Installation {
  const programs = createPrograms(directory)
  return {
    kind: 'service',
    sourceOf({ bundle, version }) {
      if (!bundle)
        throw problem('update-unavailable', `The release ${version} brings no bundle, and this DTMA needs one`)
      return { url: `${baseUrl}/dtma/bundle/sha256:${bundle.sha256}`, ...bundle }
    },
    async prepare(file, { version, bundle }) {
      const name = `${version}-${bundle!.sha256.slice(0, 12)}`
      // The same again is another program beside the present one, or there were nothing to fall back to.
      const program = (await programs.current()) === name ? `${name}-again` : name
      await programs.clear()
      await programs.add(file, program, version)
      return { program }
    },
    async ensureSwitcher() {
      if (!onTrial) restart()
    },
    isOld: async () => !onTrial,
  }
}
