import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Answer, Fetch, FetchInit } from '../contract/client.ts'

/** The control plane's replies are a few kilobytes. */
const MOST_REPLY_BYTES = 1024 * 1024

/**
 * As much of `fetch` as the uplink needs, on Node's own client: the global one keeps 12 MB in memory from its first use on.
 * Redirects are not followed: they would carry our credential elsewhere.
 * @throws {Error} Of the connection, or when the reply is larger than 1 MiB.
 */
export const httpFetch: Fetch<Answer> = (url, init) => exchange(url, init)

/** @param socket To send over; absent: a connection of its own. */
export function exchange(
  url: string,
  { method = 'GET', headers, body, signal }: FetchInit = {},
  socket?: Socket,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest
    const outgoing = send(url, {
      method,
      ...(headers ? { headers } : {}),
      ...(signal ? { signal } : {}),
      ...(socket ? { createConnection: () => socket } : {}),
    })
    outgoing.once('error', reject)
    outgoing.once('response', (incoming) => {
      readAll(incoming).then((text) => resolve(answerOf(incoming.statusCode ?? 0, text)), reject)
    })
    outgoing.end(body)
  })
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_REPLY_BYTES) {
      incoming.destroy()
      throw new Error(`the reply is larger than ${MOST_REPLY_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const answerOf = (status: number, text: string): Answer => ({
  ok: status >= 200 && status < 300,
  status,
  json: async () => JSON.parse(text),
})
