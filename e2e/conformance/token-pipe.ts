import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TokenPipe extends AsyncDisposable {
  readonly url: string
}

/**
 * Adds a token to every request: the suite has none. Host and Origin are passed on, or the suite could not try others; only
 * those of the pipe itself are said as the endpoint knows them.
 */
export async function openTokenPipe(endpoint: string, secret: string): Promise<TokenPipe> {
  const { hostname, port, host, pathname } = new URL(endpoint)
  const server = createServer((request, response) => {
    const own = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const { headers } = request
    const forwarded = {
      ...headers,
      authorization: `Bearer ${secret}`,
      host: headers.host === own ? host : headers.host,
      ...(headers.origin === `http://${own}` ? { origin: `http://${host}` } : {}),
    }
    const outgoing = send({ hostname, port, path: request.url, method: request.method, headers: forwarded })
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      response.flushHeaders()
      answer.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    request.pipe(outgoing)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
