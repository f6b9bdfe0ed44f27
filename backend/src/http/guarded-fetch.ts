import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { hostOf } from './host-of.ts'
import { isPublicAddress } from './public-address.ts'
import { createLookup } from './public-lookup.ts'

/** One request to an address that somebody else chose. */
interface GuardedRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

/**
 * Sends a request to a public address, by https, checked at the moment of dialling; follows no redirect; takes a bounded time,
 * and answers of a bounded size. @throws {Error} When it cannot, or may not, be had. What failed is in the message, and nothing of the network.
 */
export type GuardedFetch = (address: string, request: GuardedRequest) => Promise<Response>

export interface GuardedFetchOptions {
  /** Which addresses may be dialled. */
  readonly mayDial?: (address: string) => boolean
  /** Is plain http allowed? */
  readonly plain?: boolean
  /** Milliseconds for all of it; 10,000 unless given. */
  readonly timeoutMs?: number
  /** Largest body of an answer, in bytes; 256 KiB unless given. */
  readonly mostBytes?: number
}

const TIMEOUT_MS = 10_000
const MOST_BYTES = 262_144

export function createGuardedFetch({
  mayDial = isPublicAddress,
  plain = false,
  timeoutMs = TIMEOUT_MS,
  mostBytes = MOST_BYTES,
}: GuardedFetchOptions = {}): GuardedFetch {
  const lookup = createLookup(mayDial)

  return async (address, { method, headers, body, signal }) => {
    const url = URL.parse(address)
    if (!url || !(url.protocol === 'https:' || (plain && url.protocol === 'http:')))
      throw new Error('it is no https address')
    const literal = hostOf(url)
    if (isIP(literal) !== 0 && !mayDial(literal)) throw new Error('its address is not public')
    const deadline = AbortSignal.timeout(timeoutMs)
    const end = signal ? AbortSignal.any([signal, deadline]) : deadline
    try {
      return await send(url, { method, headers, lookup, signal: end, agent: false }, body, mostBytes)
    } catch (cause) {
      if (deadline.aborted) throw new Error(`no answer came within ${timeoutMs} ms`, { cause })
      throw cause
    }
  }
}

function send(url: URL, options: https.RequestOptions, body: string | undefined, mostBytes: number): Promise<Response> {
  const { request } = url.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    // Why a connection failed is not told further: it would map the network behind us.
    const fail = (cause: unknown) => reject(new Error('it could not be reached', { cause }))
    const asked = request(url, options)
    asked.once('error', fail)
    asked.once('response', (answer) => {
      const chunks: Buffer[] = []
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes <= mostBytes) return
        asked.destroy()
        reject(new Error(`its answer is larger than ${mostBytes} bytes`))
      })
      answer.once('error', fail)
      answer.once('end', () => resolve(responseOf(answer, Buffer.concat(chunks))))
    })
    asked.end(body)
  })
}

function responseOf(answer: http.IncomingMessage, body: Buffer): Response {
  const status = answer.statusCode ?? 0
  const headers = new Headers()
  const type = answer.headers['content-type']
  const challenge = answer.headers['www-authenticate']
  if (type) headers.set('content-type', type)
  if (challenge) headers.set('www-authenticate', challenge)
  const bodiless = status === 204 || status === 304 || status === 205
  return new Response(bodiless ? null : new Uint8Array(body), { status: status < 200 ? 502 : status, headers })
}
