import type { OAuthClient } from './client-metadata.ts'
import { isRegisteredRedirect, withParameters } from './redirect-uri.ts'

/** What a client asks for, checked. */
interface AuthorizationRequest {
  readonly client: OAuthClient
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly state: string | undefined
}

export type Verdict =
  | { readonly kind: 'asked'; readonly request: AuthorizationRequest }
  /** The client is told, by way of the browser. */
  | {
      readonly kind: 'refused'
      readonly client: OAuthClient
      readonly redirectUri: string
      /** With the error, for the browser. */
      readonly redirectTo: string
    }
  /** Nobody is told but the person: there is no address of which we know that it is the client's. */
  | { readonly kind: 'wrong'; readonly detail: string }

/** Our own names in answers and requests. */
export interface AuthorizationServer {
  /** RFC 8414, and `iss` of RFC 9207: the origin of the control plane. */
  readonly issuer: string
  /** RFC 8707: the MCP endpoint. */
  readonly resource: string
}

const LONGEST_QUERY = 6_000

/** The query of an authorization request as one word, which passes through the page and its sign-in unchanged. */
export const wordOfQuery = (query: string): string => `q${Buffer.from(query).toString('base64url')}`

/** @returns `undefined` for what is no such word. */
export function queryOfWord(word: string): URLSearchParams | undefined {
  if (!/^q[\w-]*$/.test(word) || word.length > LONGEST_QUERY * 1.4) return undefined
  return new URLSearchParams(Buffer.from(word.slice(1), 'base64url').toString('utf8'))
}

/** The one value of a parameter; `undefined` when it is absent or there are several. */
export function one(query: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = query.getAll(name)
  return more.length > 0 || value === undefined || value === '' ? undefined : value
}

/**
 * Decides about an authorization request (OAuth 2.1 §4.1.1). Pure. The order matters: as long as client and address are not
 * known to belong together, nothing is sent there.
 */
export function judge(
  query: URLSearchParams,
  client: OAuthClient | undefined,
  { issuer, resource }: AuthorizationServer,
): Verdict {
  if (client === undefined || one(query, 'client_id') !== client.id)
    return { kind: 'wrong', detail: 'The client is not known here; it has to register again' }
  const redirectUri = redirectOf(query, client)
  if (redirectUri === undefined)
    return { kind: 'wrong', detail: 'The client asks to be answered at an address that it did not register' }

  const state = one(query, 'state')
  const refuse = (error: string, error_description: string): Verdict => ({
    kind: 'refused',
    client,
    redirectUri,
    redirectTo: withParameters(redirectUri, { error, error_description, state, iss: issuer }),
  })
  const repeated = [...new Set(query.keys())].find((name) => query.getAll(name).length > 1)
  if (repeated === 'resource') return refuse('invalid_target', 'one resource at a time')
  if (repeated !== undefined) return refuse('invalid_request', 'a parameter is given more than once')
  if (!query.has('response_type')) return refuse('invalid_request', 'response_type is missing')
  if (query.get('response_type') !== 'code') return refuse('unsupported_response_type', 'only code is known')
  if ((one(query, 'response_mode') ?? 'query') !== 'query') return refuse('invalid_request', 'only the query is known')
  if (query.has('request') || query.has('request_uri'))
    return refuse('request_not_supported', 'send the parameters as they are')
  const codeChallenge = one(query, 'code_challenge')
  if (codeChallenge === undefined || !/^[\w-]{43}$/.test(codeChallenge))
    return refuse('invalid_request', 'code_challenge is missing, or no SHA-256: PKCE is required')
  if (query.get('code_challenge_method') !== 'S256')
    return refuse('invalid_request', 'code_challenge_method must be S256')
  if ((one(query, 'resource') ?? resource) !== resource)
    return refuse('invalid_target', `tokens are good for ${resource} only`)
  if (one(query, 'prompt')?.split(' ').includes('none'))
    return refuse('interaction_required', 'a person chooses the agent each time')
  return { kind: 'asked', request: { client, redirectUri, codeChallenge, state } }
}

/** May be left out by a client that registered one address only. */
function redirectOf(query: URLSearchParams, { redirectUris }: OAuthClient): string | undefined {
  if (!query.has('redirect_uri')) return redirectUris.length === 1 ? redirectUris[0] : undefined
  const asked = one(query, 'redirect_uri')
  return asked !== undefined && isRegisteredRedirect(asked, redirectUris) ? asked : undefined
}
