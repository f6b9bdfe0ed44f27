import { type Duplex, Readable, type Writable } from 'node:stream'
import { createDemux, type FrameStream } from './frames.ts'

/** The standard streams of a container, as attached. */
export interface Attached {
  readonly stdin: Writable
  /** Ends, never fails, when the container exits or the connection breaks. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** Detaches; the container keeps running. Safe to call twice. */
  close(): void
}

/** Splits a hijacked connection. Whoever reads slowest sets the pace, so both outputs must be read when both are attached. */
export function splitAttached(socket: Duplex): Attached {
  const open = () => void socket.resume()
  const outputs: Record<Exclude<FrameStream, 'stdin'>, Readable> = {
    stdout: new Readable({ read: open }),
    stderr: new Readable({ read: open }),
  }
  const demux = createDemux((stream, bytes) => {
    if (stream !== 'stdin' && !outputs[stream].push(bytes)) socket.pause()
  })
  const end = () => {
    for (const output of Object.values(outputs)) if (!output.readableEnded && !output.destroyed) output.push(null)
  }

  socket.on('data', (chunk: Buffer) => {
    try {
      demux(chunk)
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })
  // The end of the output says all that a reader needs: the reason is the container's exit, which the engine reports.
  socket.on('error', end)
  socket.once('end', end)
  socket.once('close', end)
  return { stdin: socket, ...outputs, close: () => void socket.destroy() }
}
