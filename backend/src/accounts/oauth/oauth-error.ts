/** Codes of RFC 6749 §5.2, RFC 7591 §3.2.2 and RFC 8707 §2: what a client is told by the endpoints that it calls itself. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'invalid_target'
  | 'invalid_redirect_uri'
  | 'invalid_client_metadata'

/** A refusal in OAuth's own form; becomes `400 {error, error_description}`. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode

  constructor(code: OAuthErrorCode, description: string) {
    super(description)
    this.code = code
  }
}
