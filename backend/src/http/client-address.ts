import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'

/** Address of the peer of this request; `unknown` when there is no connection behind it, as in tests. */
export const clientAddress = (c: Context): string =>
  (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket?.remoteAddress ?? 'unknown'
