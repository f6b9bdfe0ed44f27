/**
 * A lane: one stream that carries many short requests of the DTMA API, and their answers, beside each other. `POST` opens it; what
 * is sent in the body and what comes in the answer's are frames. What an HTTP/2 stream of its own costs a request is saved; its own
 * window is lost, so only what is short belongs here. A DTMA without it answers 404, and each request takes a stream of its own.
 *
 * A frame: four bytes length of what follows, four bytes number of the request, one byte kind, the payload. Numbers are big-endian.
 */
export const LANE_PATH = '/lane'

export const FRAME = {
  /** A {@link LaneAsk} as JSON, a line break, the body. */
  ask: 0,
  /** Nobody waits for the answer any more. No payload. */
  cancel: 1,
  /** A {@link LaneAnswer} as JSON, a line break, the whole body. */
  answer: 2,
  /** A {@link LaneAnswer} as JSON; the body follows in pieces. */
  begin: 3,
  piece: 4,
  end: 5,
  /** The answer is not complete and will not be. */
  broken: 6,
} as const

/** Method and authorization are those of every request: `POST`, and what its headers say. */
export interface LaneAsk {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

export interface LaneAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** Longest request in a lane, and longest piece of an answer, in bytes. */
export const LANE_PIECE = 64 << 10
/** Requests that wait in one lane at once; further ones are broken off. */
export const LANE_MOST = 1_000
const MOST_HEAD = 16 << 10
const HEADER = 9

/** Writes a frame. @param head Goes before the body, as JSON on a line of its own. */
export function frameOf(id: number, kind: number, body: string | Uint8Array = '', head?: LaneAsk | LaneAnswer): Buffer {
  const line = head === undefined ? '' : `${JSON.stringify(head)}\n`
  const [lineBytes, bodyBytes] = [
    Buffer.byteLength(line),
    typeof body === 'string' ? Buffer.byteLength(body) : body.length,
  ]
  const frame = Buffer.allocUnsafe(HEADER + lineBytes + bodyBytes)
  frame.writeUInt32BE(frame.length - 4, 0)
  frame.writeUInt32BE(id, 4)
  frame.writeUInt8(kind, 8)
  frame.write(line, HEADER)
  if (typeof body === 'string') frame.write(body, HEADER + lineBytes)
  else frame.set(body, HEADER + lineBytes)
  return frame
}

/** Frames on their way to a stream. */
export interface GatheredFrames {
  send(frame: Buffer): void
  /** Bytes of frames that wait for the end of this turn of the event loop. */
  readonly bytes: number
}

/** Those of one turn of the event loop go in one piece. */
export function gatherFrames(write: (bytes: Buffer) => void): GatheredFrames {
  let frames: Buffer[] = []
  let bytes = 0

  function flush(): void {
    const ready = frames
    frames = []
    bytes = 0
    write(ready.length === 1 ? ready[0]! : Buffer.concat(ready))
  }

  return {
    send(frame) {
      if (frames.length === 0) setImmediate(flush)
      frames.push(frame)
      bytes += frame.length
    },
    get bytes() {
      return bytes
    },
  }
}

/**
 * Cuts bytes into frames. @param onFrame Its payload is valid until it returns.
 * @throws {Error} From the returned function, when a frame is longer than any can be.
 */
export function createFrameReader(
  onFrame: (id: number, kind: number, payload: Buffer) => void,
): (chunk: Uint8Array) => void {
  let rest = Buffer.alloc(0)

  return (chunk) => {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const bytes = rest.length === 0 ? fresh : Buffer.concat([rest, fresh])
    let at = 0
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32BE(at)
      if (length < HEADER - 4 || length > LANE_PIECE + MOST_HEAD + HEADER) throw new Error('This is no frame of a lane')
      if (bytes.length - at < 4 + length) break
      onFrame(bytes.readUInt32BE(at + 4), bytes[at + 8]!, bytes.subarray(at + HEADER, at + 4 + length))
      at += 4 + length
    }
    // A copy: what is left of a large chunk must not hold all of it.
    rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at))
  }
}

/** Head and body of a payload that has both. @throws {Error} When it has no head. */
export function splitPayload<Head>(payload: Buffer): { readonly head: Head; readonly body: Buffer } {
  const end = payload.indexOf(0x0a)
  if (end < 0) throw new Error('This frame of a lane has no head')
  return { head: JSON.parse(payload.toString('utf8', 0, end)) as Head, body: payload.subarray(end + 1) }
}
