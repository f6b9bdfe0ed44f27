import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { HttpReply, HttpRequest } from './exchange.ts'

/** A request that met its route: with the parameters of its path, decoded, and those of its query. */
export interface Routed {
  readonly request: HttpRequest
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: Readonly<Record<string, string>>
}

type RouteHandler = (routed: Routed) => Promise<HttpReply> | HttpReply

export interface Routes {
  /** @param path With `:name` parameters. A `HEAD` is answered as the `GET` that it asks about. */
  on(methods: HTTPMethod | HTTPMethod[], path: string, handler: RouteHandler): void
  /** `undefined`: none of these. */
  find(request: HttpRequest): (() => ReturnType<RouteHandler>) | undefined
  /** `<method> <path>` of each. */
  list(): readonly string[]
}

export function createRoutes(): Routes {
  const router = findMyWay()
  const listed: string[] = []
  return {
    on(methods, path, handler) {
      // The router hands its own arguments to handlers that it calls; we only let it find them.
      router.on(methods, path, () => {}, handler)
      for (const method of [methods].flat()) listed.push(`${method} ${path}`)
    },
    find(request) {
      const method = request.method === 'HEAD' ? 'GET' : request.method
      const [path = '', search] = request.url.split('?', 2)
      const found = router.find(method as HTTPMethod, path)
      if (!found) return undefined
      const handler = found.store as RouteHandler
      const query = search ? Object.fromEntries(new URLSearchParams(search)) : {}
      return () => handler({ request, params: found.params, query })
    },
    list: () => listed,
  }
}
