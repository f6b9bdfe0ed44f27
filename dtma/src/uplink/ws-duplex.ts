import type { RawData, WebSocket } from 'ws'
import { SocketLike } from '../socket-like.ts'

/** HTTP/2 windows: with Node's 64 KiB, 50 ms of distance would leave 0.8 MB/s. */
export const STREAM_WINDOW = 4 << 20
export const SESSION_WINDOW = 16 << 20

const WRITE_BUFFER = 64 << 10
const READ_BUFFER = 1 << 20

/**
 * A WebSocket as the byte stream under HTTP/2 (its timeouts are the pings' business): one binary message per batch of writes, back-pressure both ways.
 * (`createWebSocketStream` of ws sends one message per write: two thirds of the throughput.)
 */
export class WsDuplex extends SocketLike {
  readonly #ws: WebSocket

  /** @param onText Takes text messages; absent: there are none. @throws What it throws ends the connection. */
  constructor(ws: WebSocket, onText?: (text: string) => void) {
    super({ allowHalfOpen: false, writableHighWaterMark: WRITE_BUFFER, readableHighWaterMark: READ_BUFFER })
    this.#ws = ws
    ws.binaryType = 'nodebuffer'
    ws.on('message', (data: RawData, isBinary: boolean) => {
      if (!isBinary) this.#take(data, onText)
      else if (!this.push(data)) ws.pause()
    })
    ws.on('close', () => {
      this.push(null)
      this.destroy()
    })
    ws.on('error', (error) => this.destroy(error))
  }

  #take(data: RawData, onText: ((text: string) => void) | undefined): void {
    try {
      if (!onText) throw new Error('the tunnel carries binary messages only')
      onText(String(data))
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  override _read(): void {
    if (this.#ws.isPaused) this.#ws.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#ws.send(chunk, { binary: true, compress: false }, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const [first] = chunks
    const data = chunks.length === 1 && first ? first.chunk : Buffer.concat(chunks.map(({ chunk }) => chunk))
    this.#ws.send(data, { binary: true, compress: false }, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ws.close(1000)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#ws.readyState <= this.#ws.OPEN) this.#ws.terminate()
    done(error)
  }
}
