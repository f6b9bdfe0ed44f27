import { type ClientHttp2Stream, constants } from 'node:http2'
import { Readable } from 'node:stream'

/**
 * The body of a client stream as a plain Readable with back-pressure. Needed because `Http2Stream#closed` turns true when the
 * last frame arrived, not when it was read: `for await` and `pipeline` on a short answer fail with ERR_STREAM_PREMATURE_CLOSE
 * (Node 24). Call it within the `response` event: Node drains a stream that has no reader then.
 */
export function readableOf(stream: ClientHttp2Stream): Readable {
  let ended = false
  const body = new Readable({
    highWaterMark: 256 << 10,
    read: () => void stream.resume(),
    destroy(error, done) {
      if (!ended) stream.close(constants.NGHTTP2_CANCEL)
      done(error)
    },
  })
  // Whoever reads it gets the error too; nobody need be reading yet, or any more.
  body.on('error', () => {})
  stream.on('data', (chunk: Buffer) => {
    if (!body.push(chunk)) stream.pause()
  })
  stream.on('end', () => {
    // A stream that was reset, or whose connection ended, ends like a complete one; only its code tells.
    if (stream.rstCode) return void body.destroy(brokenOff(stream))
    ended = true
    body.push(null)
  })
  stream.on('error', (error) => body.destroy(error))
  stream.on('close', () => {
    if (!ended) body.destroy(brokenOff(stream))
  })
  return body
}

/** The answer is not complete, and will not be. */
export const brokenOff = ({ rstCode }: ClientHttp2Stream): Error =>
  new Error(`the connection closed the stream (${rstCode ?? 'no code'})`)
