import {
  appendImageArchive,
  beginImageArchive,
  type ImageArchive,
  listImageArchives,
  problem,
  removeImageArchive,
} from '@agentopia/api'
import { usesArchive } from '../catalog/own-tool.store.ts'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import type { ArchiveFiles } from './archive.files.ts'
import { lookInto, NoImage } from './archive.look.ts'
import {
  type ArchiveRow,
  archiveViewOf,
  deleteAbandoned,
  deleteArchive,
  deleteRefused,
  ensureArchiveRow,
  getArchiveRow,
  listArchiveRows,
  storeReady,
  storeReceived,
} from './archive.store.ts'

export interface ArchiveRouteDeps {
  readonly store: Store
  readonly files: ArchiveFiles
}

export function archiveRoutes(mount: Mount, { store, files }: ArchiveRouteDeps): void {
  mount.reply(listImageArchives, (_, { caller }) =>
    store.tenant(caller.accountId, async (tx) => ({ items: (await listArchiveRows(tx)).map(archiveViewOf) })),
  )

  mount.reply(beginImageArchive, async ({ body: { digest, size } }, { caller, signal }) => {
    const { accountId } = caller
    const row = await store.tenant(accountId, async (tx) => {
      for (const abandoned of await deleteAbandoned(tx)) await files.remove(accountId, abandoned.digest)
      return ensureArchiveRow(tx, accountId, digest, size)
    })
    // It had come whole, and we ended before it was looked at.
    if (row.state === 'receiving' && row.received === row.size) return check(row, caller, signal)
    return archiveViewOf(row)
  })

  // The row is locked while a part is written: two who send the same archive take turns, and the second is told where it goes on.
  mount.upload(appendImageArchive, async ({ params: { digest, offset } }, part, { caller, signal }) => {
    const { accountId } = caller
    const row = await store.tenant(accountId, async (tx) => {
      const { received, size, state } = await getArchiveRow(tx, digest, true)
      if (state === 'ready' || offset !== received)
        throw problem('wrong-offset', `${received} of ${size} bytes are here; this part begins at ${offset}`)
      if (received + part.byteLength > size)
        throw problem('invalid-image', `The archive was announced with ${size} bytes, and has more`)
      await files.write(accountId, digest, offset, part)
      return storeReceived(tx, digest, received + part.byteLength)
    })
    return row.received < row.size ? archiveViewOf(row) : check(row, caller, signal)
  })

  /**
   * Looks at what has come whole, which takes as long as it is large: it may be removed meanwhile, and another may be on its way.
   * What is wrong is removed: nobody can go on with it.
   */
  async function check(row: ArchiveRow, { accountId, actor }: Caller, signal: AbortSignal): Promise<ImageArchive> {
    const { digest } = row
    try {
      if (!(await files.isWhole(accountId, digest, signal))) throw new NoImage('its bytes are not those of its digest')
      const seen = await lookInto(files.read(accountId, digest))
      return await store.tenant(accountId, async (tx) => {
        const ready = await storeReady(tx, row, seen)
        if (!ready) return archiveViewOf(await getArchiveRow(tx, digest))
        const message = `Stored the image ${seen.image ?? digest.slice(0, 19)}, ${Math.ceil(row.size / 2 ** 20)} MiB`
        await recordActivity(tx, { accountId, actor, action: 'image.stored', subject: digest, message })
        return archiveViewOf(ready)
      })
    } catch (error) {
      if (!(error instanceof NoImage)) throw error
      await store.tenant(accountId, async (tx) => {
        if (!(await deleteRefused(tx, row))) throw problem('image-not-found', 'It was removed while it was looked at')
        await files.remove(accountId, digest)
      })
      throw problem('invalid-image', `This is not the archive of an image: ${error.message}`, { cause: error })
    }
  }

  mount.reply(removeImageArchive, async ({ params: { digest } }, { caller: { accountId, actor } }) => {
    await store.tenant(accountId, async (tx) => {
      const { image } = await getArchiveRow(tx, digest, true)
      if (await usesArchive(tx, digest)) throw problem('image-in-use', `A tool is made of ${image ?? digest}`)
      await deleteArchive(tx, digest)
      const message = `Removed the image ${image ?? digest}`
      await recordActivity(tx, { accountId, actor, action: 'image.removed', subject: digest, message })
      await files.remove(accountId, digest) // before anybody can begin the same one anew
    })
    return undefined
  })
}
