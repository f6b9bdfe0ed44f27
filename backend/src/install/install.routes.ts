import { Readable } from 'node:stream'
import { problem } from '@agentopia/api'
import type { Hono } from 'hono'
import type { Log } from '../log.ts'
import type { DtmaImage } from './dtma-image.ts'
import { installScript } from './install-script.ts'

export interface InstallRouteDeps {
  readonly publicUrl: string
  readonly keyPin?: string | undefined
  /** Absent: this control plane gives out no image, machines pull it by `imageName`. */
  readonly image?: DtmaImage | undefined
  readonly imageName: string
  readonly log: Log
}

/** So many machines fetch the image at once; the next one is told to come again. */
const AT_ONCE = 8
const LOOK_MS = 5_000

/** What a machine needs that is not a toolbox yet: the script and the image. Both are public, as the product is. */
export function installRoutes(app: Hono, { publicUrl, keyPin, image, imageName, log }: InstallRouteDeps): void {
  let fetching = 0

  app.get('/install.sh', async (c) => {
    const imageId = await image?.id(AbortSignal.timeout(LOOK_MS)).catch((err: unknown) => {
      log.warn({ err }, 'the image of DTMA cannot be looked up; machines are told to pull it')
      return undefined
    })
    c.header('cache-control', 'no-store')
    return c.text(installScript({ publicUrl, keyPin, imageId, imageName }), 200, {
      'content-type': 'text/x-shellscript; charset=utf-8',
    })
  })

  app.get('/dtma/image/:digest', async (c) => {
    const digest = c.req.param('digest')
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw problem('not-found', 'An image is named by its digest')
    if (fetching >= AT_ONCE) throw problem('rate-limited', `${AT_ONCE} machines fetch the image now`)
    fetching += 1
    try {
      const found = await image?.open(digest).catch((cause: unknown) => {
        throw problem('image-unavailable', 'Docker did not export the image', { cause })
      })
      if (!found) throw problem('not-found', 'This control plane has no such image')
      fetching += 1 // now it is the stream's
      found.body.once('close', () => {
        fetching -= 1
      })
      return c.body(Readable.toWeb(found.body) as ReadableStream, 200, {
        'content-type': 'application/gzip',
        'content-length': String(found.size),
      })
    } finally {
      fetching -= 1
    }
  })
}
