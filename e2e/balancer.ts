import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A load balancer as plain as there is: each connection goes to the next port of this machine that takes it. */
export async function openBalancer(
  host: string,
  ports: readonly number[],
): Promise<{ readonly url: string } & AsyncDisposable> {
  const open = new Set<Socket>()
  let turn = 0

  function pass(client: Socket, left: number): void {
    const port = ports[turn++ % ports.length]!
    const plane = connect({ host: '127.0.0.1', port, noDelay: true })
    plane.once('connect', () => {
      client.pipe(plane).pipe(client)
      for (const [one, other] of [
        [client, plane],
        [plane, client],
      ] as const)
        one.once('close', () => other.destroy())
    })
    plane.once('error', () =>
      (plane.connecting || plane.bytesRead === 0) && left > 1 ? pass(client, left - 1) : client.destroy(),
    )
    open.add(plane)
    plane.once('close', () => open.delete(plane))
  }

  const server = createServer({ noDelay: true, pauseOnConnect: false }, (client) => {
    client.on('error', () => client.destroy())
    open.add(client)
    client.once('close', () => open.delete(client))
    pass(client, ports.length)
  })
  server.listen(0, host)
  await once(server, 'listening')
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
