import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { Listener } from './listener.ts'

/** One sentence for the person who started the process. */
export class PortError extends Error {
  override readonly name = 'PortError'
}

const SENTENCES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another program: stop it, or set PORT to another one',
  EACCES: 'may not be used by this user: set PORT to one above 1023',
  EADDRNOTAVAIL: 'cannot be had on this address: set HOST to an address of this machine',
  ENOTFOUND: 'cannot be had on this address: set HOST to an address of this machine',
}

/** Listens on TCP. @throws {PortError} When that is not possible. */
export async function serve(listener: Listener, { host, port }: { host: string; port: number }): Promise<Server> {
  const server = createServer(listener)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (error: NodeJS.ErrnoException) => {
    const sentence = SENTENCES[error.code ?? ''] ?? `cannot be listened on (${error.code})`
    reject(new PortError(`Port ${port} ${sentence}.`, { cause: error }))
  })
  server.listen(port, host, resolve)
  await promise
  return server
}

/** Answers what has begun, within a second; then cuts. */
export async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), 1_000)
  await promise
  clearTimeout(cut)
}
