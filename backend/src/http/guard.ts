import { problem } from '@agentopia/api'
import type { Context, MiddlewareHandler } from 'hono'
import type { Log } from '../log.ts'
import { type OwnNames, refusalOf } from './same-site.ts'

/** Gives every request an id, which the answer carries and the log names. */
export const requestId =
  (log: Log): MiddlewareHandler =>
  async (c, next) => {
    const id = crypto.randomUUID()
    const started = performance.now()
    c.header('x-request-id', id)
    await next()
    const ms = Math.round(performance.now() - started)
    log.debug({ requestId: id, method: c.req.method, path: c.req.path, status: c.res.status, ms }, 'request')
  }

const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const

/** Nothing of ours runs elsewhere, and nothing of others runs here. */
export const securityHeaders =
  (publicUrl: string): MiddlewareHandler =>
  async (c, next) => {
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value)
    if (publicUrl.startsWith('https:')) c.header('strict-transport-security', 'max-age=31536000')
    if (isApi(c.req.path)) c.header('cache-control', 'no-store')
    await next()
  }

/** What is answered to HEAD is read by nobody: it ends here, or a file or stream behind it would stay open for good. */
export const noBodyToHead: MiddlewareHandler = async (c, next) => {
  await next()
  if (c.req.method === 'HEAD') await c.res.body?.cancel()
}

/** Refuses what pages of other sites send. DTMA comes by whatever address it was given, with a token and without a browser. */
export const sameSiteOnly =
  (own: OwnNames): MiddlewareHandler =>
  async (c, next) => {
    const refusal = isUplink(c.req.path) ? undefined : refusalOf(sourceOf(c), own)
    if (refusal) throw problem('cross-site', refusal)
    await next()
  }

const sourceOf = (c: Context) => ({
  method: c.req.method,
  host: c.req.header('host') ?? hostOf(c.req.url),
  origin: c.req.header('origin'),
  fetchSite: c.req.header('sec-fetch-site'),
  hasCookie: c.req.header('cookie') !== undefined,
  hasAuthorization: c.req.header('authorization') !== undefined,
})

/** Without a network there is no `Host`, but an address. */
const hostOf = (url: string): string => new URL(url).host

const isApi = (path: string): boolean => path === '/api' || path.startsWith('/api/')
const isUplink = (path: string): boolean =>
  path.startsWith('/dtma/') || path === '/install.sh' || path.startsWith('/install/')
