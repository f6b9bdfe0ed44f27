import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** Not `Readable.toWeb`: who leaves between two chunks would make it throw where nobody catches. */
export function asWeb(body: Readable): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        if (body.closed) return
        const closed = once(body, 'close')
        body.destroy()
        await closed
      },
    },
    { highWaterMark: 0 },
  )
}
