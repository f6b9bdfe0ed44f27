import { connect, type Socket } from 'node:net'

/** Where calls go, and with which headers. */
export interface Endpoint {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** `sse`: the transport before streamable HTTP, which is the default. */
  readonly transport?: 'sse'
  /** The capability that answers with what it was given as `message`. */
  readonly echo: string
}

export interface Answer {
  readonly status: number
  readonly headers: string
  readonly body: string
}

/** One kept-alive connection, without a library: whatever the client costs is missing to the one that is measured. */
export interface Wire {
  post(body: string): Promise<Answer>
  close(): void
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

export async function openWire({ url, headers = {} }: Endpoint): Promise<Wire> {
  const { hostname, port, host, pathname, search } = new URL(url)
  const sent = Object.entries({
    host,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  })
  const head = `POST ${pathname}${search} HTTP/1.1\r\n${sent.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`
  let waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  async function dial(): Promise<Socket> {
    const opened = connect(Number(port), hostname)
    opened.setNoDelay(true)
    await new Promise<void>((resolve, reject) => opened.once('connect', resolve).once('error', reject))
    let received: Buffer = Buffer.alloc(0)
    opened.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const answer = whole(received)
      if (!answer) return
      received = Buffer.alloc(0)
      waiting?.resolve(answer)
    })
    opened.on('error', (error) => waiting?.reject(error))
    opened.on('close', () => waiting?.reject(new Error(`${url} closed the connection`)))
    return opened
  }

  let socket = await dial()
  return {
    async post(body) {
      // Servers end connections that were idle for some seconds, as these are while others are measured.
      if (socket.destroyed || socket.readableEnded) socket = await dial()
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      })
    },
    close: () => void socket.destroy(),
  }
}

function whole(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(END_OF_HEAD)
  if (end < 0) return undefined
  const headers = bytes.subarray(0, end).toString('latin1').toLowerCase()
  const from = end + END_OF_HEAD.length
  const length = /\r\ncontent-length: (\d+)/.exec(headers)?.[1]
  const isWhole =
    length === undefined
      ? !headers.includes('\r\ntransfer-encoding: chunked') || bytes.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
      : bytes.length >= from + Number(length)
  return isWhole ? { status: Number(headers.slice(9, 12)), headers, body: bytes.subarray(from).toString() } : undefined
}

export interface Window {
  readonly calls: number
  readonly seconds: number
  /** Milliseconds, ascending. */
  readonly latencies: readonly number[]
}

/** Calls for so long, so many at a time; every answer must hold what was sent. @throws {Error} When one does not. */
export async function load(wires: readonly Wire[], echo: string, ms: number): Promise<Window> {
  const latencies: number[] = []
  const from = performance.now()
  const until = from + ms
  await Promise.all(
    wires.map(async (wire, slot) => {
      for (let n = 0; performance.now() < until; n += 1) {
        const message = `m${slot}-${n}`
        const params = { name: echo, arguments: { message } }
        const begun = performance.now()
        const { status, body } = await wire.post(
          JSON.stringify({ jsonrpc: '2.0', id: slot * 1_000_000 + n + 1, method: 'tools/call', params }),
        )
        latencies.push(performance.now() - begun)
        if (status !== 200 || !body.includes(message)) throw new Error(`answered ${status}: ${body.slice(0, 300)}`)
      }
    }),
  )
  const seconds = (performance.now() - from) / 1_000
  return { calls: latencies.length, seconds, latencies: latencies.sort((a, b) => a - b) }
}
