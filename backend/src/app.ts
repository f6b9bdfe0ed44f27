import { OPERATIONS, problem } from '@agentopia/api'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { noBodyToHead, requestId, sameSiteOnly, securityHeaders } from './http/guard.ts'
import { createMount, type Mount, type MountDeps } from './http/mount.ts'
import { servePage } from './http/page.ts'
import { problemResponse } from './http/problem-response.ts'
import type { OwnNames } from './http/same-site.ts'
import type { Log } from './log.ts'

export interface AppDeps {
  readonly authenticate: MountDeps['authenticate']
  readonly clientAddress: MountDeps['clientAddress']
  readonly requirePresence: MountDeps['requirePresence']
  readonly log: Log
  readonly own: OwnNames
  readonly publicUrl: string
  /** Directory of the built page. */
  readonly pageDir: string
}

/**
 * Everything that is served over HTTP, but for the gateway: the operations that `mountAll` mounts, the uplink, the page.
 * @throws {Error} When an operation of the API is not mounted.
 */
export function createApp(
  deps: AppDeps,
  mountAll: (mount: Mount, app: Hono) => void,
): { readonly app: Hono; readonly replyTo: Mount['replyTo'] } {
  const { log, own, publicUrl, pageDir } = deps
  const app = new Hono()
  app.onError(problemResponse(log))
  app.use(noBodyToHead, requestId(log), securityHeaders(publicUrl), sameSiteOnly(own))

  const mount = createMount({ app, ...deps })
  mountAll(mount, app)
  const missing = OPERATIONS.filter(({ id }) => !mount.mounted.has(id)).map(({ id }) => id)
  if (missing.length > 0) throw new Error(`operations of the API are not mounted: ${missing.join(', ')}`)

  const noRoute: Parameters<typeof app.notFound>[0] = (c) => {
    throw problem('not-found', `There is no ${c.req.method} ${c.req.path}`)
  }
  app.all('/api/*', noRoute)
  app.all('/dtma/*', noRoute)
  app.all('/oauth/*', noRoute)
  app.all('/.well-known/*', noRoute)
  app.get('*', compress(), servePage(pageDir))
  app.notFound(noRoute)
  return { app, replyTo: mount.replyTo }
}
