import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** The port of this process. It is taken before anything else is made, so that a taken one is noticed at once. */
export interface Server {
  readonly port: number
  /** From now on requests are answered by these; until then they were told to come again. */
  serve(handlers: { readonly request: RequestHandler; readonly upgrade: UpgradeHandler }): void
  /** Takes no new requests and waits for those in flight; after `deadlineMs` they are cut. */
  close(deadlineMs: number): Promise<void>
}

/** How long a client may take for the head of a request, and how often that is looked at. */
const PATIENCE = { headersTimeoutMs: 20_000, checkEveryMs: 5_000 }
/** Longer than load balancers keep theirs, which is 60 s mostly: whoever ends an idle connection may lose the request that is sent then. */
const REST_MS = 75_000

/** @throws {NodeJS.ErrnoException} `EADDRINUSE` and its like. */
export async function openServer(
  listen: { readonly host: string; readonly port: number },
  { headersTimeoutMs, checkEveryMs }: typeof PATIENCE = PATIENCE,
): Promise<Server> {
  let request: RequestHandler = (_, response) => {
    response
      .writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain' })
      .end('The control plane is starting.\n')
  }
  let upgrade: UpgradeHandler = (_, socket) => {
    socket.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\r\n')
  }
  const upgraded = new Set<Duplex>()
  const server = createServer({
    requestTimeout: 120_000,
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: checkEveryMs,
    keepAliveTimeout: REST_MS,
  })
  const underWay = new Set<ServerResponse>()
  let closing = false
  server.on('request', (incoming, response) => {
    underWay.add(response)
    response.once('close', () => {
      underWay.delete(response)
      if (closing) server.closeIdleConnections() // of one whose head was sent before
    })
    if (closing) response.setHeader('connection', 'close')
    request(incoming, response)
  })
  server.on('upgrade', (incoming, socket, head) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket))
    socket.on('error', () => socket.destroy()) // before the handshake nobody else listens
    upgrade(incoming, socket, head)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, () => {
      server.off('error', reject)
      resolve()
    })
  })

  return {
    port: (server.address() as AddressInfo).port,
    serve(handlers) {
      request = handlers.request
      upgrade = handlers.upgrade
    },
    async close(deadlineMs) {
      closing = true
      // Whoever keeps a connection would go on asking by it: he is told to ask elsewhere, and is not cut off.
      for (const response of underWay) if (!response.headersSent) response.setHeader('connection', 'close')
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const deadline = setTimeout(() => {
        server.closeAllConnections()
        for (const socket of upgraded) socket.destroy()
      }, deadlineMs)
      await closed
      clearTimeout(deadline)
    },
  }
}
