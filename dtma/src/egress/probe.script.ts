/** Something that a tool must not reach, in the words of the report. */
export interface Forbidden {
  readonly what: string
  /** `tcp`: from the tool itself. `proxy`: by asking the gateway. `name`: by resolving it. `udp`: a name server there answers. */
  readonly by: 'tcp' | 'proxy' | 'name' | 'udp'
  readonly host: string
  readonly port: number
}

/**
 * The program of the probe, which runs where a tool would. Writes one JSON array: what of the list it has reached; or null
 * when it could not even reach the gateway, and so has proven nothing. A refused connection counts as reached: somebody
 * who is there has refused it. Runs from its own source text, so nothing may be imported.
 */
export function probe(forbidden: readonly Forbidden[], gateway: string, proxyPort: number): void {
  const net = process.getBuiltinModule('node:net')
  const dgram = process.getBuiltinModule('node:dgram')
  const { lookup } = process.getBuiltinModule('node:dns/promises')
  const PATIENCE_MS = 2_500

  function tcp(host: string, port: number, say?: string): Promise<string> {
    return new Promise((resolve) => {
      const socket = net.connect({ host, port })
      socket.setTimeout(PATIENCE_MS, () => {
        resolve('silence')
        socket.destroy()
      })
      socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'error'))
      socket.on('close', () => resolve('closed'))
      socket.on('connect', () => (say === undefined ? resolve('connected') : socket.write(say)))
      socket.on('data', (answer) => resolve(answer.toString('latin1')))
    })
  }

  function udp(host: string, port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = dgram.createSocket('udp4')
      const end = (reached: boolean) => () => {
        resolve(reached)
        socket.removeAllListeners().on('error', () => undefined)
        socket.close()
      }
      socket.on('message', end(true)).on('error', end(false))
      setTimeout(end(false), PATIENCE_MS)
      const query = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 99, 111, 109, 0, 0, 1, 0, 1]
      socket.send(Buffer.from(query), port, host)
    })
  }

  async function isReached({ by, host, port }: Forbidden): Promise<boolean> {
    if (by === 'udp') return udp(host, port)
    if (by === 'name')
      return lookup(host).then(
        () => true,
        () => false,
      )
    if (by === 'tcp') return ['connected', 'ECONNREFUSED', 'ECONNRESET'].includes(await tcp(host, port))
    const answer = await tcp(gateway, proxyPort, `CONNECT ${host}:${port} HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
    return answer.startsWith('HTTP/1.1 200')
  }

  async function run(): Promise<readonly Forbidden[] | null> {
    if ((await tcp(gateway, proxyPort)) !== 'connected') return null
    const answers = await Promise.all(forbidden.map(isReached))
    return forbidden.filter((_, index) => answers[index])
  }
  void run().then((reached) => {
    process.stdout.write(JSON.stringify(reached), () => process.exit(0))
  })
}
