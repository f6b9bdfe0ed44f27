/** Docker's multiplexed stream: per frame one byte of stream kind, three zero bytes, a big-endian length, the payload. */
export type FrameStream = 'stdin' | 'stdout' | 'stderr'

const STREAMS: readonly FrameStream[] = ['stdin', 'stdout', 'stderr']
const HEADER_BYTES = 8
/** Docker writes frames of at most 16 KiB; a length far beyond means that the stream is not multiplexed at all. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024

/**
 * Splits a multiplexed stream. Feed it chunks cut anywhere; it hands on each payload in pieces, in order, without copying.
 * A piece is valid until the caller is done with the chunk it came in.
 * @throws {Error} From the returned function, when the bytes are no multiplexed stream.
 */
export function createDemux(onPayload: (stream: FrameStream, bytes: Buffer) => void): (chunk: Buffer) => void {
  const header = Buffer.alloc(HEADER_BYTES)
  let headerBytes = 0
  let stream: FrameStream = 'stdout'
  let remaining = 0

  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (remaining > 0) {
        const end = Math.min(chunk.length, at + remaining)
        onPayload(stream, chunk.subarray(at, end))
        remaining -= end - at
        at = end
        continue
      }
      const copied = chunk.copy(header, headerBytes, at, at + HEADER_BYTES - headerBytes)
      headerBytes += copied
      at += copied
      if (headerBytes < HEADER_BYTES) return
      headerBytes = 0
      remaining = header.readUInt32BE(4)
      const kind = STREAMS[header[0]!]
      if (!kind || header.readUIntBE(1, 3) !== 0 || remaining > MAX_FRAME_BYTES)
        throw new Error('The stream from Docker is not multiplexed')
      stream = kind
    }
  }
}
