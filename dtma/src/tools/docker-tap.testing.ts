import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Docker's socket with a tap in the line. `cut`: nobody answers and all connections break. `hang`: nothing passes any more. */
export async function tappedSocket(socket: string) {
  const directory = await mkdtemp(join(tmpdir(), 'dtma-tap-'))
  const socketPath = join(directory, 'docker.sock')
  let mode: 'open' | 'cut' | 'hang' = 'open'
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (mode === 'cut') return client.destroy()
    const upstream = connect({ path: socket, allowHalfOpen: true })
    const pair: [Socket, Socket] = [client, upstream]
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        for (const other of pair) other.destroy()
        pairs.delete(pair)
      })
    }
    if (mode === 'hang') return
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  const close = async () => {
    for (const [client] of pairs) client.destroy()
    server.close()
    await rm(directory, { recursive: true })
  }
  return {
    socketPath,
    close,
    set(next: typeof mode) {
      mode = next
      for (const [client, upstream] of pairs)
        if (next === 'cut') client.destroy()
        else if (next === 'hang') {
          client.unpipe().pause()
          upstream.unpipe().pause()
        } else if (next === 'open') client.destroy()
    },
  }
}
