import type { InstallVariant } from '@agentopia/api'
import type { DtmaBundle } from './dtma-bundle.ts'
import type { DtmaImage } from './dtma-image.ts'

/** What DTMA can be installed from. */
export interface InstallSources {
  /** The image of DTMA that is given out; absent: machines pull it. */
  readonly image?: DtmaImage | undefined
  readonly imageName: string
  /** DTMA as one file; absent when this control plane was not built. */
  readonly bundle?: DtmaBundle | undefined
  readonly registry?: DtmaRegistry | undefined
  readonly source?: DtmaSource | undefined
}

/** A registry that machines pull the image of DTMA from. */
export interface DtmaRegistry {
  /** Reference: registry, repository, and a tag or a digest. */
  readonly image: string
  /** Absent: it is open to all. May only read; machines use it once and do not keep it. */
  readonly login?: { readonly user: string; readonly password: string }
}

/** A repository that holds `dtma/`. */
export interface DtmaSource {
  readonly url: string
  /** Forty hexadecimal digits. */
  readonly commit: string
}

/** The ways of installation that this control plane has everything for. */
export function variantsOf({ bundle, registry, source }: InstallSources): InstallVariant[] {
  return [
    'docker',
    ...(registry ? (['registry'] as const) : []),
    ...(bundle ? (['systemd'] as const) : []),
    ...(source ? (['git'] as const) : []),
  ]
}

/** Where the script is that installs in this way. */
export const scriptPath = (variant: InstallVariant): string =>
  variant === 'docker' ? '/install.sh' : `/install/${variant}.sh`
