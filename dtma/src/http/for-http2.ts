import type { Http2ServerResponse, OutgoingHttpHeaders } from 'node:http2'

/** Headers of HTTP/1 connections, which HTTP/2 forbids (RFC 9113 section 8.2.2) and apps set all the same. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** An app that was written for HTTP/1 may answer as it is used to. */
export function forHttp2(response: Http2ServerResponse): Http2ServerResponse {
  const setHeader = response.setHeader.bind(response)
  const writeHead = response.writeHead.bind(response) as (
    status: number,
    headers?: OutgoingHttpHeaders,
  ) => Http2ServerResponse
  response.setHeader = (name, value) => {
    if (!CONNECTION_HEADERS.has(name.toLowerCase())) setHeader(name, value)
  }
  response.writeHead = ((status: number, headers: OutgoingHttpHeaders = {}) =>
    writeHead(
      status,
      Object.fromEntries(Object.entries(headers).filter(([name]) => !CONNECTION_HEADERS.has(name.toLowerCase()))),
    )) as typeof response.writeHead
  return response
}
