import type { Readable, Writable } from 'node:stream'
import { SocketLike } from '../socket-like.ts'

/**
 * Two one-way streams as one that goes both ways, with what HTTP/2 asks of a socket: writes in batches, back-pressure both ways.
 * (`Duplex.from` does the same by way of promises, for each chunk.)
 */
export class JoinedStreams extends SocketLike {
  readonly #output: Writable
  readonly #input: Readable

  constructor(input: Readable, output: Writable) {
    super({ allowHalfOpen: false })
    this.#input = input
    this.#output = output
    input.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) input.pause()
    })
    const end = () => {
      this.push(null)
      this.destroy()
    }
    input.on('end', end).on('close', end).on('error', end)
    output.on('close', end).on('error', end)
  }

  override _read(): void {
    this.#input.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#output.write(chunk, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', done)
  }
}
