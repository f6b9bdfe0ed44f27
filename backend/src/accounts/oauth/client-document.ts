import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isObject } from '@agentopia/dtma/contract'
import { isPublicAddress } from '../../http/public-address.ts'
import { createLookup } from '../../http/public-lookup.ts'
import { type OAuthClient, parseClientMetadata } from './client-metadata.ts'
import { OAuthError } from './oauth-error.ts'

export interface DocumentReaderOptions {
  /** Which addresses may be dialled. */
  readonly mayDial?: (address: string) => boolean
  readonly timeoutMs?: number
}

export type ReadClientDocument = (clientId: string, signal?: AbortSignal) => Promise<OAuthClient>

const TIMEOUT_MS = 5_000
/** The draft recommends 5 KB; a client with many addresses needs a little more. */
const MOST_BYTES = 16_384
const LONGEST_ADDRESS = 1_000

/** Is this client id the address of a metadata document (OAuth Client ID Metadata Document, §3)? */
export function isDocumentAddress(clientId: string): boolean {
  if (clientId.length > LONGEST_ADDRESS || !clientId.startsWith('https://')) return false
  const url = URL.parse(clientId)
  // Equal to what the parser makes of it: no dot segments, no default port, no other spelling of the same host.
  return url !== null && url.href === clientId && url.pathname !== '/' && !/[#@]/.test(clientId)
}

/**
 * Makes a function that fetches what a client says of itself. It is led there by strangers: only public addresses are
 * dialled (checked at the moment of dialling, so that a name cannot change in between), no redirect is followed, and
 * time and size are bounded.
 */
export function createDocumentReader({
  mayDial = isPublicAddress,
  timeoutMs = TIMEOUT_MS,
}: DocumentReaderOptions = {}): ReadClientDocument {
  const lookup = createLookup(mayDial)

  return async (clientId, signal) => {
    const url = new URL(clientId)
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) !== 0 && !mayDial(literal)) throw unreadable('its address is not public')
    const deadline = AbortSignal.timeout(timeoutMs)
    const text = await fetchText(url, lookup, signal ? AbortSignal.any([signal, deadline]) : deadline)
    const { client_id: named, ...metadata } = asObject(text)
    if (named !== clientId) throw unreadable('it names another client_id')
    const method = metadata['token_endpoint_auth_method'] ?? 'none'
    if (method !== 'none') throw unreadable('only clients without a secret are known here')
    return { id: clientId, ...parseClientMetadata(metadata) }
  }
}

function fetchText(url: URL, lookup: LookupFunction, signal: AbortSignal): Promise<string> {
  const { request } = url.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(unreadable(why))
    // Why a connection failed is not told: it would map the network behind us.
    const asked = request(url, { lookup, signal, agent: false, headers: { accept: 'application/json' } })
    asked.once('error', () => fail('it could not be fetched'))
    asked.once('response', (answer) => {
      const type = answer.headers['content-type'] ?? ''
      if (answer.statusCode !== 200 || !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) {
        asked.destroy()
        return fail('it is not served as JSON with status 200')
      }
      const chunks: Buffer[] = []
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes <= MOST_BYTES) return
        asked.destroy()
        fail(`it is larger than ${MOST_BYTES} bytes`)
      })
      answer.once('error', () => fail('it could not be fetched'))
      answer.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    })
    asked.end()
  })
}

function asObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Said below, as for every other text that is no document.
  }
  throw unreadable('it is no JSON object')
}

const unreadable = (why: string) => new OAuthError('invalid_client', `The metadata document of the client: ${why}`)
