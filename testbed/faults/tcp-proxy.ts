import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What happens on one way of a connection. To TCP a lost packet is one that comes late: what is dropped arrives when the line is whole again. */
export interface Line {
  /** Nothing passes. What is under way waits, as in the buffers of two kernels. */
  down: boolean
  /** Milliseconds, and so many more by chance. */
  latencyMs: number
  jitterMs: number
  /** Of all connections together. Absent: as fast as it goes. */
  bytesPerSecond: number | undefined
  /** Share of pieces that are lost and sent again after 200 ms or a multiple of it. */
  loss: number
  /** A piece longer than this is swallowed, and all that follows on this connection: a path that drops what does not fit, and says nothing. */
  blackHoleAbove: number | undefined
}

export interface FaultProxy {
  readonly port: number
  /** From whoever dialled to whoever was dialled, and back. */
  readonly up: Line
  readonly down: Line
  /** Bytes that have passed, by way. */
  readonly passed: { readonly up: number; readonly down: number }
  /** Ends every connection at once, without a goodbye. */
  reset(): void
  /** How many were dialled. */
  readonly dialled: number
  close(): Promise<void>
}

interface Way {
  readonly line: Line
  /** When the last piece that was taken has left, of whatever connection. */
  freeAt: number
  passed: number
}

const newWay = (): Way => ({
  line: { down: false, latencyMs: 0, jitterMs: 0, bytesPerSecond: undefined, loss: 0, blackHoleAbove: undefined },
  freeAt: 0,
  passed: 0,
})

/** As large as a segment on Ethernet: what is lost, is lost in such pieces. */
const PIECE_BYTES = 1_460
const RETRANSMIT_MS = 200
const LOOK_MS = 20
/** More is not read before it has left: as much as a long line holds. */
const MOST_BUFFERED = 16 << 20

/** A line between two processes that can be made bad. @param random 0 to 1, as `Math.random`. */
export async function openFaultProxy(target: { readonly port: number }, random: () => number): Promise<FaultProxy> {
  const ways = { up: newWay(), down: newWay() }
  const sockets = new Set<Socket>()
  let dialled = 0

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    dialled += 1
    const far = connect({ host: '127.0.0.1', port: target.port, allowHalfOpen: true, noDelay: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        ;(socket === near ? far : near).destroy()
      })
    }
    void carry(near, far, ways.up)
    void carry(far, near, ways.down)
  })

  async function carry(from: Socket, to: Socket, way: Way): Promise<void> {
    const { line } = way
    let lastDue = 0
    const waiting: { readonly piece: Buffer; readonly due: number }[] = []
    let buffered = 0
    let ended = false
    let wake = () => {}
    from.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES)
        const now = performance.now()
        if (line.bytesPerSecond !== undefined)
          way.freeAt = Math.max(way.freeAt, now) + (piece.length / line.bytesPerSecond) * 1_000
        let due = Math.max(Math.max(now, way.freeAt) + line.latencyMs + random() * line.jitterMs, lastDue)
        for (let again = 1; random() < line.loss && again < 8; again *= 2) due += RETRANSMIT_MS * again
        lastDue = due
        waiting.push({ piece, due })
        buffered += piece.length
      }
      if (buffered > MOST_BUFFERED) from.pause()
      wake()
    })
    for (const socket of [from, to]) socket.once('close', () => wake())
    from.once('end', () => {
      ended = true
      wake()
    })
    while (!to.destroyed && !from.destroyed) {
      const [next] = waiting
      if (next === undefined) {
        if (ended) return void to.end()
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      const early = next.due - performance.now()
      if (line.down || early > 0) {
        await new Promise((resolve) => setTimeout(resolve, line.down ? LOOK_MS : Math.min(early, LOOK_MS)))
        continue
      }
      if (line.blackHoleAbove !== undefined && next.piece.length > line.blackHoleAbove) return
      waiting.shift()
      buffered -= next.piece.length
      if (buffered < MOST_BUFFERED / 2 && from.isPaused()) from.resume()
      way.passed += next.piece.length
      to.write(next.piece)
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const reset = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    up: ways.up.line,
    down: ways.down.line,
    get passed() {
      return { up: ways.up.passed, down: ways.down.passed }
    },
    reset,
    get dialled() {
      return dialled
    },
    async close() {
      reset()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}
