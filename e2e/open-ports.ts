import { createConnection } from 'node:net'

/** What a machine of the test bed has open before anything is installed on it. */
export const SSHD = 22

const PORTS = 65_535
const AT_ONCE = 500
/** Open or refused is known within a millisecond here; what says nothing until then is shut by a firewall. */
const SILENCE_MS = 2_000

/** Knocks at every TCP port of a machine, as a stranger in its network does. @returns Those that open, ascending. */
export async function openPortsOf(host: string): Promise<number[]> {
  const open: number[] = []
  let next = 1
  async function knock(): Promise<void> {
    while (next <= PORTS) {
      const port = next++
      if (await opens(host, port)) open.push(port)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, knock))
  return open.sort((a, b) => a - b)
}

/**
 * Whether a port opens to this machine.
 * @param localAddress Of this machine, from which it is tried; absent: the one that leads there.
 * @throws {Error} When it cannot be told, as for want of a way to the machine.
 */
export const opens = (host: string, port: number, localAddress?: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, ...(localAddress === undefined ? {} : { localAddress }) })
    const tell = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.setTimeout(SILENCE_MS, () => tell(false))
    socket.once('connect', () => tell(true))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') tell(false)
      else reject(error)
    })
  })
