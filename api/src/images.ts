import { MOST_ARCHIVE_BYTES, Sha256 } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { Timestamp } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** The most bytes of one part of an archive. */
export const MOST_PART_BYTES = 8 * 2 ** 20

/** An archive of one image (`docker save`) that the control plane holds: toolboxes run it without any registry. */
export const ImageArchive = z.object({
  /** SHA-256 over the archive. */
  digest: Sha256,
  size: z.int(),
  /** So many bytes are here. */
  received: z.int(),
  /** `ready`: it is whole, its digest is right, and it holds an image. */
  state: z.enum(['receiving', 'ready']),
  /** What the image was called where it was saved; absent: nothing. */
  image: z.string().optional(),
  /** For which machines it was made: `amd64`, `arm64`. */
  architecture: z.string().optional(),
  createdAt: Timestamp,
})
export type ImageArchive = z.infer<typeof ImageArchive>

const one = z.object({ digest: Sha256 })

export const listImageArchives = defineUserOperation({
  id: 'listImageArchives',
  summary: 'List the archives of images',
  method: 'GET',
  path: '/api/images',
  auth: 'viewer',
  status: 200,
  reply: z.object({ items: z.array(ImageArchive) }),
  problems: [],
})

export const beginImageArchive = defineUserOperation({
  id: 'beginImageArchive',
  summary: 'Announce an archive, or ask how much of it is here: an interrupted one goes on from there',
  method: 'POST',
  path: '/api/images',
  auth: 'admin',
  status: 200,
  body: z.strictObject({ digest: Sha256, size: z.int().min(1).max(MOST_ARCHIVE_BYTES) }),
  reply: ImageArchive,
  problems: ['image-limit', 'invalid-image'],
})

export const appendImageArchive = defineUserOperation({
  id: 'appendImageArchive',
  summary: 'Send the part of an archive that begins at this byte. With the last one it is checked',
  method: 'PUT',
  path: '/api/images/:digest/parts/:offset',
  auth: 'admin',
  status: 200,
  params: one.extend({ offset: z.coerce.number().int().min(0).max(MOST_ARCHIVE_BYTES) }),
  upload: { mostBytes: MOST_PART_BYTES },
  reply: ImageArchive,
  problems: ['image-not-found', 'wrong-offset', 'invalid-image', 'payload-too-large'],
})

export const removeImageArchive = defineUserOperation({
  id: 'removeImageArchive',
  summary: 'Remove an archive',
  method: 'DELETE',
  path: '/api/images/:digest',
  auth: 'admin',
  status: 204,
  params: one,
  problems: ['image-not-found', 'image-in-use'],
})
