import { problem } from '@agentopia/api'
import type { InstallationKind, SignedRelease } from '@agentopia/dtma/contract'
import type { DtmaBundle } from '../install/dtma-bundle.ts'
import type { DtmaImage } from '../install/dtma-image.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { ReleaseKey } from './release-key.ts'

/** Which version of DTMA this control plane gives out for each kind of installation. Absent: none, or nobody has seen it yet. */
export type Newest = Readonly<Partial<Record<InstallationKind, string>>>

/** The versions of DTMA that this control plane gives out. */
export interface Releases {
  /** As it was when somebody last looked. Never waits. */
  newest(): Newest
  /** Looks now. @throws {ProviderError} When Docker does not answer. */
  look(signal: AbortSignal): Promise<Newest>
  /**
   * For one kind of installation, ready to be fetched. `undefined`: there is none.
   * @param again The one attempt in which it may also replace the same version.
   * @throws {ProviderError} As above, or when it cannot be exported.
   */
  signed(
    kind: InstallationKind,
    signal: AbortSignal,
    again?: string,
  ): Promise<(SignedRelease & { readonly version: string }) | undefined>
}

export interface ReleasesDeps {
  /** Absent: this control plane gives out no image. */
  readonly image: Pick<DtmaImage, 'version' | 'exported'> | undefined
  /** Absent: it gives out no bundle. */
  readonly bundle: DtmaBundle | undefined
  readonly key: ReleaseKey
  readonly clock: Clock
  readonly log: Log
}

const FRESH_MS = 30_000
const LOOK_MS = 10_000

/** Looks now, for somebody who waits for it. @throws {ProblemError} `image-unavailable` */
export const newestOr = (releases: Pick<Releases, 'look'>) => (): Promise<Newest> =>
  releases.look(AbortSignal.timeout(LOOK_MS)).catch((cause: unknown) => {
    throw problem('image-unavailable', 'Docker does not say which version of DTMA there is', { cause })
  })

export function createReleases({ image, bundle, key, clock, log }: ReleasesDeps): Releases {
  let imageVersion: string | undefined
  let lookedAt = Number.NEGATIVE_INFINITY

  const known = (): Newest => ({
    ...(imageVersion === undefined ? {} : { container: imageVersion }),
    ...(bundle ? { service: bundle.version } : {}),
  })

  async function look(signal: AbortSignal): Promise<Newest> {
    lookedAt = clock.steady()
    imageVersion = await image?.version(signal)
    return known()
  }

  return {
    look,
    newest() {
      if (image && clock.steady() - lookedAt > FRESH_MS)
        look(AbortSignal.timeout(LOOK_MS)).catch((err: unknown) =>
          log.warn({ err }, 'the image of DTMA cannot be looked up; nothing newer is offered'),
        )
      return known()
    },
    async signed(kind, signal, again) {
      const more = again === undefined ? {} : { again }
      if (kind === 'service') {
        if (!bundle) return undefined
        const { version, sha256, bytes } = bundle
        return { version, ...key.sign({ product: 'dtma', version, bundle: { sha256, size: bytes.length }, ...more }) }
      }
      const { container: version } = await look(signal)
      const archive = version === undefined ? undefined : await image?.exported(signal)
      if (version === undefined || !archive) return undefined
      return { version, ...key.sign({ product: 'dtma', version, image: archive, ...more }) }
    },
  }
}
