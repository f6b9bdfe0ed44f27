import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Emulator } from './emulator.ts'

/** The API of an emulated account over HTTP, not listening yet. */
export const createApiServer = (emulator: Emulator): Server =>
  createServer((request, response) => {
    answer(emulator, request, response).catch(() => request.socket.destroy()) // a fault that cuts the connection
  })

async function answer({ fetch }: Emulator, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = request.method === 'GET' ? '' : await text(request)
  const result = await fetch(`http://${request.headers.host}${request.url}`, {
    method: request.method ?? 'GET',
    headers: { authorization: request.headers.authorization ?? '' },
    ...(body === '' ? {} : { body }),
  })
  response.writeHead(result.status, Object.fromEntries(result.headers))
  response.end(await result.text())
}
