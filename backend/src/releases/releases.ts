import type { SignedRelease } from '@agentopia/dtma/contract'
import type { DtmaImage } from '../install/dtma-image.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { ReleaseKey } from './release-key.ts'

/** The version of DTMA that this control plane gives out. */
export interface Releases {
  /** As it was when somebody last looked; `undefined`: there is none, or nobody has seen it yet. Never waits. */
  newest(): string | undefined
  /** Looks now. @throws {ProviderError} When Docker does not answer. */
  look(signal: AbortSignal): Promise<string | undefined>
  /** Ready to be fetched. `undefined`: there is none. @throws {ProviderError} As above, or when it cannot be exported. */
  signed(signal: AbortSignal): Promise<(SignedRelease & { readonly version: string }) | undefined>
}

export interface ReleasesDeps {
  /** Absent: this control plane gives out no image. */
  readonly image: Pick<DtmaImage, 'version' | 'exported'> | undefined
  readonly key: ReleaseKey
  readonly clock: Clock
  readonly log: Log
}

const FRESH_MS = 30_000
const LOOK_MS = 10_000

export function createReleases({ image, key, clock, log }: ReleasesDeps): Releases {
  let known: string | undefined
  let lookedAt = Number.NEGATIVE_INFINITY

  async function look(signal: AbortSignal): Promise<string | undefined> {
    lookedAt = clock.now()
    known = await image?.version(signal)
    return known
  }

  return {
    look,
    newest() {
      if (image && clock.now() - lookedAt > FRESH_MS)
        look(AbortSignal.timeout(LOOK_MS)).catch((err: unknown) =>
          log.warn({ err }, 'the image of DTMA cannot be looked up; nothing newer is offered'),
        )
      return known
    },
    async signed(signal) {
      const version = await look(signal)
      const archive = version === undefined ? undefined : await image?.exported(signal)
      if (version === undefined || !archive) return undefined
      return { version, ...key.sign({ product: 'dtma', version, image: archive }) }
    },
  }
}
