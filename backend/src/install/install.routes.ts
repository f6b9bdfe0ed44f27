import { addAbortSignal } from 'node:stream'
import { InstallVariant, problem } from '@agentopia/api'
import type { Hono } from 'hono'
import { asWeb } from '../http/as-web.ts'
import { RateLimited } from '../http/rate-limited.ts'
import type { Installer } from './installer.ts'
import { type InstallSources, scriptPath } from './variants.ts'

export interface InstallRouteDeps extends Pick<InstallSources, 'image' | 'bundle'> {
  readonly installer: Installer
}

/** So many machines fetch the image at once; the next one is told to come again. */
const AT_ONCE = 8
/** As long as the script lets one attempt take: who reads slower does not keep others out for longer. */
const FETCH_MS = 1_200_000
const COME_AGAIN_SECONDS = 5

/** What a machine needs that is not a toolbox yet: the script, the image and the bundle. All are public, as the product is. */
export function installRoutes(app: Hono, { installer, image, bundle }: InstallRouteDeps): void {
  let fetching = 0

  for (const variant of InstallVariant.options)
    app.get(scriptPath(variant), async (c) => {
      c.header('cache-control', 'no-store')
      return c.text(await installer.script(variant), 200, { 'content-type': 'text/x-shellscript; charset=utf-8' })
    })

  app.get('/dtma/bundle/:digest', (c) => {
    if (!bundle || c.req.param('digest') !== `sha256:${bundle.sha256}`)
      throw problem('not-found', 'This control plane has no such bundle')
    return c.body(bundle.bytes, 200, { 'content-type': 'application/gzip' })
  })

  app.get('/dtma/image/:digest', async (c) => {
    const digest = c.req.param('digest')
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw problem('not-found', 'An image is named by its digest')
    if (fetching >= AT_ONCE) throw new RateLimited(`${AT_ONCE} machines fetch the image now`, COME_AGAIN_SECONDS)
    fetching += 1
    let handedOver = false // to the stream: the place is free when that has ended
    try {
      const found = await image?.open(digest).catch((cause: unknown) => {
        throw problem('image-unavailable', 'Docker did not export the image', { cause })
      })
      if (!found) throw problem('not-found', 'This control plane has no such image')
      handedOver = true
      found.body.once('close', () => {
        fetching -= 1
      })
      addAbortSignal(AbortSignal.timeout(FETCH_MS), found.body)
      return c.body(asWeb(found.body), 200, {
        'content-type': 'application/gzip',
        'content-length': String(found.size),
      })
    } finally {
      if (!handedOver) fetching -= 1
    }
  })
}
