import * as z from 'zod'
import { cleanText } from '../../gateway/clean-text.ts'
import { OAuthError } from './oauth-error.ts'
import { refusalOfRedirect } from './redirect-uri.ts'

/** A program that asks to act as an agent. */
export interface OAuthClient {
  /** Given by us, or the address of its metadata document. */
  readonly id: string
  /** As it calls itself, without hidden characters; nobody vouches for it. */
  readonly name: string
  readonly redirectUris: readonly string[]
}

const MOST_REDIRECTS = 20
const LONGEST_NAME = 100

const Metadata = z.object({
  client_name: z.string().optional(),
  redirect_uris: z.array(z.string()).min(1).max(MOST_REDIRECTS),
  grant_types: z.array(z.string()).optional(),
  response_types: z.array(z.string()).optional(),
  token_endpoint_auth_method: z.string().optional(),
})

/**
 * What a client says of itself (RFC 7591 §2), as far as it matters here.
 * @throws {OAuthError} `invalid_redirect_uri`, `invalid_client_metadata`.
 */
export function parseClientMetadata(value: unknown): Omit<OAuthClient, 'id'> {
  const parsed = Metadata.safeParse(value)
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.join('.') || 'the document'
    throw new OAuthError('invalid_client_metadata', `${at.slice(0, 100)} is missing or not as RFC 7591 says`)
  }
  const { redirect_uris, client_name, grant_types, response_types } = parsed.data
  for (const [index, uri] of redirect_uris.entries()) {
    const refusal = refusalOfRedirect(uri)
    if (refusal) throw new OAuthError('invalid_redirect_uri', `redirect_uris.${index} ${refusal}`)
  }
  if (grant_types && !grant_types.includes('authorization_code'))
    throw new OAuthError('invalid_client_metadata', 'grant_types: authorization_code is the only way in')
  if (response_types && !response_types.includes('code'))
    throw new OAuthError('invalid_client_metadata', 'response_types: only code is known')
  const name = cleanText(client_name ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST_NAME)
  return { name: name || 'A client without a name', redirectUris: redirect_uris }
}
