import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Fetch } from '../contract/client.ts'

/** The control plane's replies are a few kilobytes. */
const MOST_REPLY_BYTES = 1024 * 1024

/**
 * As much of `fetch` as the uplink needs, on Node's own client: the global one parses HTTP in WebAssembly, which a Node that
 * runs with `--lite-mode` does not have. Redirects are not followed: they would carry our credential elsewhere.
 * @throws {Error} Of the connection, or when the reply is larger than 1 MiB.
 */
export const httpFetch: Fetch = (url, init) => exchange(url, init)

type Init = Parameters<Fetch>[1]

/** @param socket To send over; absent: a connection of its own. */
export function exchange(
  url: string,
  { method = 'GET', headers, body, signal }: Init = {},
  socket?: Socket,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest
    const outgoing = send(url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      ...(signal ? { signal } : {}),
      ...(socket ? { createConnection: () => socket } : {}),
    })
    outgoing.once('error', reject)
    outgoing.once('response', (incoming) => {
      readAll(incoming).then((text) => resolve(responseOf(incoming, text)), reject)
    })
    outgoing.end(body as string | undefined)
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

/** @throws {RangeError} On a status that no final response has. */
function responseOf({ statusCode = 0, headers }: IncomingMessage, text: string): Response {
  const bodiless = statusCode === 204 || statusCode === 304
  const type = headers['content-type']
  return new Response(bodiless ? null : text, { status: statusCode, headers: type ? { 'content-type': type } : {} })
}
