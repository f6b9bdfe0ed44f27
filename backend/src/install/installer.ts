import { type InstallVariant, problem } from '@agentopia/api'
import type { Log } from '../log.ts'
import { installScript } from './install-script.ts'
import { type InstallSources, variantsOf } from './variants.ts'

export interface InstallerDeps extends InstallSources {
  readonly publicUrl: string
  readonly keyPin?: string | undefined
  readonly log: Log
}

/** Makes the script that installs DTMA, for whoever brings it to a machine. */
export interface Installer {
  readonly variants: readonly InstallVariant[]
  /** @throws {ProblemError} `variant-unavailable`. */
  script(variant: InstallVariant): Promise<string>
  /** @throws {ProblemError} `variant-unavailable`. */
  require(variant: InstallVariant): void
}

const LOOK_MS = 5_000

export function createInstaller({ publicUrl, keyPin, log, ...sources }: InstallerDeps): Installer {
  const { image, imageName, bundle, registry, source } = sources
  const variants = variantsOf(sources)

  /** `undefined`: machines pull it. */
  const imageId = () =>
    image?.id(AbortSignal.timeout(LOOK_MS)).catch((err: unknown) => {
      log.warn({ err }, 'the image of DTMA cannot be looked up; machines are told to pull it')
      return undefined
    })

  function require(variant: InstallVariant): void {
    if (!variants.includes(variant))
      throw problem('variant-unavailable', `It installs by ${variants.join(', ')}, not by ${variant}`)
  }

  return {
    variants,
    require,
    async script(variant) {
      require(variant)
      return installScript({
        variant,
        publicUrl,
        keyPin,
        imageId: variant === 'registry' ? undefined : await imageId(),
        imageName: registry?.image ?? imageName,
        bundle: bundle?.sha256,
        source,
      })
    },
  }
}
