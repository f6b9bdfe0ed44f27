import { addAbortSignal } from 'node:stream'
import { problem } from '@agentopia/api'
import { ARCHIVE_PATH } from '@agentopia/dtma/contract'
import { and, eq } from 'drizzle-orm'
import type { Hono } from 'hono'
import type { Catalog } from '../catalog/catalog.ts'
import { asWeb } from '../http/as-web.ts'
import { RateLimited } from '../http/rate-limited.ts'
import { packagesOn } from '../registries/registry.uplink.ts'
import type { Store } from '../store/connect.ts'
import { imageArchives } from '../store/schema/index.ts'
import type { DtmaIdentity } from '../uplink/authenticate.ts'
import { bearerOf } from '../uplink/mount-uplink.ts'
import type { ArchiveFiles } from './archive.files.ts'

export interface ArchiveUplinkDeps {
  readonly store: Store
  readonly catalog: Catalog
  readonly files: Pick<ArchiveFiles, 'read'>
  /** @returns `undefined` for a token that is none, or was revoked. */
  readonly authenticate: (token: string) => Promise<DtmaIdentity | undefined>
}

/** So many toolboxes fetch an archive at once; the next one is told to come again. */
const AT_ONCE = 8
const COME_AGAIN_SECONDS = 5
/** Who reads slower does not keep others out for longer. */
const FETCH_MS = 3_600_000

/** Gives a toolbox an archive of its own account that one of its tools is made of. */
export function archiveUplink(app: Hono, { store, catalog, files, authenticate }: ArchiveUplinkDeps): void {
  let fetching = 0

  app.get(`${ARCHIVE_PATH}/:digest`, async (c) => {
    const token = bearerOf(c)
    const identity = token === undefined ? undefined : await authenticate(token)
    if (!identity) throw problem('unauthenticated', 'This token is not the one of a toolbox')
    const { accountId, toolboxId } = identity
    const digest = c.req.param('digest')
    const archive = await store.tenant(accountId, async (tx) => {
      const packages = await packagesOn(tx, toolboxId, catalog)
      if (!packages.some((pkg) => pkg.type === 'oci' && pkg.archive === digest)) return undefined
      const isIt = and(eq(imageArchives.digest, digest), eq(imageArchives.state, 'ready'))
      const [row] = await tx.select({ size: imageArchives.size }).from(imageArchives).where(isIt)
      return row
    })
    if (!archive) throw problem('image-not-found', 'No tool of this toolbox is made of such an archive')
    if (fetching >= AT_ONCE) throw new RateLimited(`${AT_ONCE} toolboxes fetch an image now`, COME_AGAIN_SECONDS)
    fetching += 1
    const body = files.read(accountId, digest)
    body.once('close', () => {
      fetching -= 1
    })
    addAbortSignal(AbortSignal.timeout(FETCH_MS), body)
    return c.body(asWeb(body), 200, { 'content-type': 'application/x-tar', 'content-length': String(archive.size) })
  })
}
