import * as z from 'zod/mini'

/** `GET`: an archive by its digest, as it was given to the control plane. Authorization as for the heartbeat. */
export const ARCHIVE_PATH = '/dtma/archives'

/** The most bytes of an archive as it is stored, and of what it unpacks to. */
export const MOST_ARCHIVE_BYTES = 4 * 2 ** 30
export const MOST_UNPACKED_BYTES = 16 * 2 ** 30

/** Of the file `manifest.json` in an archive. */
export const MOST_MANIFEST_BYTES = 1024 * 1024
export const MANIFEST = 'manifest.json'

/** Files that say a second time, or otherwise, what is in the archive: only {@link MANIFEST} is heard. */
export const UNHEARD: ReadonlySet<string> = new Set(['index.json', 'oci-layout', 'repositories'])

const inside = z.string().check(
  z.minLength(1),
  z.maxLength(300),
  z.refine((name) => isInside(name), 'leads out of the archive'),
)

/** What `docker save` of one image writes into `manifest.json`. */
export const ArchiveManifest = z
  .array(
    z.object({
      Config: inside,
      RepoTags: z.nullish(z.array(z.string().check(z.maxLength(300))).check(z.maxLength(100))),
      Layers: z.array(inside).check(z.minLength(1), z.maxLength(500)),
    }),
  )
  .check(z.length(1, 'must hold exactly one image: save them one by one'))

/** Whether a name in an archive stays in it. */
export const isInside = (name: string): boolean =>
  !name.startsWith('/') && !name.includes('\\') && !name.includes('\0') && !name.split('/').includes('..')
