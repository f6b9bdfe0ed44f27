import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { enrol } from '@agentopia/dtma/contract'

/** What stands between DTMAs and the control plane, passes everything on, and can be asked to break one enrolment. */
export interface EnrolmentProxy {
  readonly port: number
  /**
   * Breaks the next enrolment, and those after it until {@link mend}.
   * @param where `before`: it never reaches the control plane. `after`: its reply never reaches DTMA. `none`: it passes.
   * @returns Resolves at that moment, of the first one.
   */
  breakAt(where: Moment): Promise<void>
  mend(): void
  close(): Promise<void>
}
export type Moment = 'before' | 'after' | 'none'

/** @param target Port of the control plane on this machine. */
export async function enrolmentProxy(target: number): Promise<EnrolmentProxy> {
  let broken: { readonly where: Moment; readonly reached: () => void } | undefined
  const sockets = new Set<Socket>()

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url, headers } = incoming
    const isEnrolment = method === enrol.method && url === enrol.path
    const fault = isEnrolment ? broken : undefined
    const hangUp = () => void incoming.socket.destroy()
    if (fault?.where === 'before') {
      hangUp()
      fault.reached()
      return
    }
    const forwarded = request({ port: target, host: '127.0.0.1', method, path: url, headers, agent: false })
    forwarded.on('error', hangUp)
    forwarded.on('response', (reply) => {
      if (fault?.where === 'after' && reply.statusCode === enrol.status) {
        hangUp()
        fault.reached()
        return
      }
      outgoing.writeHead(reply.statusCode!, reply.headers)
      reply.pipe(outgoing).on('error', hangUp)
      reply.on('error', hangUp)
      if (fault) outgoing.once('finish', fault.reached)
    })
    incoming.pipe(forwarded)
  }

  const server = createServer({ keepAliveTimeout: 1 }, pass)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', ({ method, url, rawHeaders }: IncomingMessage, socket: Socket, head: Buffer) => {
    const names = rawHeaders.filter((_, index) => index % 2 === 0)
    const lines = names.map((name, index) => `${name}: ${rawHeaders[index * 2 + 1]}`)
    const through = connect(target, '127.0.0.1')
    through.write(`${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    through.write(head)
    const end = () => {
      socket.destroy()
      through.destroy()
    }
    socket.pipe(through).on('error', end).on('close', end)
    through.pipe(socket).on('error', end).on('close', end)
  })
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')

  return {
    port: (server.address() as { port: number }).port,
    breakAt(where) {
      const { promise, resolve } = Promise.withResolvers<void>()
      broken = { where, reached: resolve }
      return promise
    },
    mend() {
      broken = undefined
    },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
