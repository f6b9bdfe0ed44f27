import { getHealth } from '../contract/operations.ts'
import { problem } from '../contract/problems.ts'
import type { Log } from '../log.ts'
import type { App } from './listener.ts'
import { problemReply } from './problem-reply.ts'

/** What is left of the DTMA API where everybody on the way can read along: whether it lives. */
export const healthOnly =
  (app: App, log: Log): App =>
  async (request) => {
    const [path] = request.url.split('?', 1)
    if (path === getHealth.path) return app(request)
    return problemReply(log)(problem('tls-required', `${request.method} ${path} is answered over https alone`))
  }
