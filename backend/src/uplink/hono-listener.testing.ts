import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { type HttpReply, type HttpRequest, listenerOf } from '@agentopia/dtma/testing'
import type { Hono } from 'hono'

/** An app of a test, as DTMA serves its own. */
export const honoListener = (app: Hono) => listenerOf((request) => replyOf(app, request), { debug() {} })

async function replyOf(app: Hono, { method, url, headers, body, signal }: HttpRequest): Promise<HttpReply> {
  const lines = Object.entries(headers).filter(([name]) => !name.startsWith(':')) as [string, string][]
  const content =
    method === 'GET' || method === 'HEAD' ? {} : { body: Readable.toWeb(Readable.from(body)), duplex: 'half' }
  const request = new Request(`http://dtma${url}`, { method, headers: lines, signal, ...content } as RequestInit)
  const answer = await app.fetch(request)
  return {
    status: answer.status,
    headers: Object.fromEntries(
      [...answer.headers].filter(([name]) => !/^(?:connection|transfer-encoding)$/.test(name)),
    ),
    ...(answer.body ? { body: Readable.fromWeb(answer.body as ReadableStream) } : {}),
  }
}
