import { getHealth } from '../contract/operations.ts'
import { problem } from '../contract/problems.ts'
import type { Log } from '../log.ts'
import type { App } from './listener.ts'
import { problemReply } from './problem-reply.ts'

/** What is left of the DTMA API where everybody on the way can read along: whether it lives. */
export function healthOnly(app: App, log: Log): App {
  const problemOf = problemReply(log)
  return async (request) => {
    const [path = ''] = request.url.split('?', 1)
    if (request.method === getHealth.method && path === getHealth.path) return app(request)
    return problemOf(problem('tls-required', `${request.method} ${path} is answered over https alone`))
  }
}
