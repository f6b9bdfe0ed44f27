import type { Readable } from 'node:stream'

/**
 * All bytes of a stream. By events: an async iterator costs more than all else that is done to a short body.
 * @param tooMuch What is thrown when there are more than `most` bytes; the stream is left where it is then.
 */
export function readAll(stream: Readable, most: number, tooMuch: () => Error): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooSoon = () => stream.errored ?? new Error('the stream ended before its end')
    // It broke before anybody listened: none of the events below comes any more.
    if (stream.destroyed) return reject(tooSoon())
    const chunks: Buffer[] = []
    let bytes = 0
    let ended = false

    stream.on('data', onData)
    stream.once('end', () => {
      ended = true
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
    stream.once('error', reject)
    stream.once('close', () => ended || reject(tooSoon()))

    function onData(chunk: Buffer): void {
      bytes += chunk.length
      if (bytes <= most) return void chunks.push(chunk)
      stream.off('data', onData)
      stream.pause()
      reject(tooMuch())
    }
  })
}
