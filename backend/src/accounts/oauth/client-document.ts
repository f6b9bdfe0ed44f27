import { isObject } from '@agentopia/dtma/contract'
import { createGuardedFetch, type GuardedFetchOptions } from '../../http/guarded-fetch.ts'
import { type OAuthClient, parseClientMetadata } from './client-metadata.ts'
import { OAuthError } from './oauth-error.ts'

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

/** Makes a function that fetches what a client says of itself. It is led there by strangers, and so goes the guarded way. */
export function createDocumentReader({
  timeoutMs = TIMEOUT_MS,
  ...reach
}: Omit<GuardedFetchOptions, 'mostBytes'> = {}): ReadClientDocument {
  const fetch = createGuardedFetch({ ...reach, timeoutMs, mostBytes: MOST_BYTES })

  return async (clientId, signal) => {
    const headers = { accept: 'application/json' }
    const answer = await fetch(clientId, { method: 'GET', headers, ...(signal ? { signal } : {}) }).catch(
      (cause: Error) => {
        throw unreadable(cause.message)
      },
    )
    const type = answer.headers.get('content-type') ?? ''
    if (answer.status !== 200 || !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type))
      throw unreadable('it is not served as JSON with status 200')
    const { client_id: named, ...metadata } = asObject(await answer.text())
    if (named !== clientId) throw unreadable('it names another client_id')
    const method = metadata['token_endpoint_auth_method'] ?? 'none'
    if (method !== 'none') throw unreadable('only clients without a secret are known here')
    return { id: clientId, ...parseClientMetadata(metadata) }
  }
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
