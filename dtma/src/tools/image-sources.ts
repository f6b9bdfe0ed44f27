import type { Readable } from 'node:stream'
import type { RegistryCredential } from '../engine/registry-auth.ts'
import { ToolFailure } from './tool-failure.ts'

/** What only the control plane has of images. Nothing of it is kept: it is asked for when it is needed. */
export interface ImageSources {
  /** @param registry Host, with its port. `undefined`: the registry is asked anonymously. */
  credential(registry: string, signal: AbortSignal): Promise<RegistryCredential | undefined>
  /** The archive of this digest as it was given to the control plane. @param digest `sha256:<hex>` */
  archive(digest: string, signal: AbortSignal): Promise<ImageArchive>
}

interface ImageArchive {
  /** Of the body, when the other end says it. */
  readonly bytes: number | undefined
  /** Not to be trusted until its digest was checked. */
  readonly body: Readable
}

/** Of a DTMA that reports to nobody. */
export const NO_IMAGE_SOURCES: ImageSources = {
  credential: async () => undefined,
  archive: async () => {
    throw new ToolFailure('image_not_found', 'An archive comes from a control plane, and this DTMA has none', {
      lasting: true,
    })
  },
}
