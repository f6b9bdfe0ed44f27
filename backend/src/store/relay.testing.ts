import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

/** A way by TCP to a PostgreSQL on a unix socket, as to one on another machine. */
export interface Relay {
  readonly port: number
  /** Breaks what is connected. */
  cut(): void
  /** Lets no byte pass any more on what is connected. */
  hush(): void
  close(): void
}

/** For tests only. */
export async function openRelay({ host, port }: { readonly host: string; readonly port: number }): Promise<Relay> {
  const sockets = new Set<Socket>()
  const keep = (one: Socket, other: Socket): void => {
    sockets.add(one)
    one
      .on('error', () => other.destroy())
      .on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      .pipe(other)
  }
  const server = createServer((here) => {
    const there = createConnection(`${host}/.s.PGSQL.${port}`)
    keep(here, there)
    keep(there, here)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    hush() {
      for (const socket of sockets) socket.unpipe()
    },
    close() {
      server.close()
      cut()
    },
  }
}
