import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { type Answer, type Endpoint, openWire, type Wire } from './load.ts'

/** MCP's transport before streamable HTTP: requests are posted, and answered on a stream that stays open. */
export interface SseWire extends Wire {
  /** For a message that has no answer. */
  notify(body: string): Promise<void>
}

export async function openSseWire(endpoint: Endpoint): Promise<SseWire> {
  const outgoing = get(endpoint.url, { headers: { accept: 'text/event-stream', ...endpoint.headers }, agent: false })
  const [stream] = (await once(outgoing, 'response')) as [IncomingMessage]
  const place = Promise.withResolvers<string>()
  let waiting: ((answer: Answer) => void) | undefined
  let unread = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    unread += chunk
    for (let end = unread.indexOf('\n\n'); end >= 0; end = unread.indexOf('\n\n')) {
      const event = unread.slice(0, end)
      unread = unread.slice(end + 2)
      const data = event.slice(event.indexOf('data: ') + 'data: '.length)
      if (event.startsWith('event: endpoint')) place.resolve(data)
      else if (data.includes('"id":') && !data.includes('"method":'))
        waiting?.({ status: 200, headers: '', body: data })
    }
  })
  stream.on('error', place.reject).on('close', () => place.reject(new Error(`${endpoint.url} closed its stream`)))
  const wire = await openWire({ ...endpoint, url: new URL(await place.promise, endpoint.url).href })
  return {
    async post(body) {
      const { promise, resolve } = Promise.withResolvers<Answer>()
      waiting = resolve
      const posted = await wire.post(body)
      return posted.status === 202 ? promise : posted
    },
    async notify(body) {
      await wire.post(body)
    },
    close() {
      outgoing.destroy()
      wire.close()
    },
  }
}
