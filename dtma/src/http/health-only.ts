import { Hono } from 'hono'
import { getHealth } from '../contract/operations.ts'
import { problem } from '../contract/problems.ts'
import type { Log } from '../log.ts'
import { problemResponse } from './problem-response.ts'

/** What is left of the DTMA API where everybody on the way can read along: whether it lives. */
export function healthOnly(app: Hono, log: Log): Hono {
  const open = new Hono()
  open.onError(problemResponse(log))
  open.on(getHealth.method, getHealth.path, (c) => app.fetch(c.req.raw))
  open.all('*', (c) => {
    throw problem('tls-required', `${c.req.method} ${c.req.path} is answered over https alone`)
  })
  return open
}
