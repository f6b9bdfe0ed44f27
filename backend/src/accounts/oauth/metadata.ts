import type { AuthorizationServer } from './authorization-request.ts'

export const PATHS = {
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  register: '/oauth/register',
  revoke: '/oauth/revoke',
  server: '/.well-known/oauth-authorization-server',
  resource: '/.well-known/oauth-protected-resource',
} as const

/** There is one: to call what the agent may call. What that is, its toolbelt says. */
export const SCOPE = 'mcp'

/** RFC 8414, RFC 9207 §3, and the draft on Client ID Metadata Documents. */
export const serverMetadata = ({ issuer }: AuthorizationServer) => ({
  issuer,
  authorization_endpoint: issuer + PATHS.authorize,
  token_endpoint: issuer + PATHS.token,
  registration_endpoint: issuer + PATHS.register,
  revocation_endpoint: issuer + PATHS.revoke,
  scopes_supported: [SCOPE],
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none'],
  revocation_endpoint_auth_methods_supported: ['none'],
  client_id_metadata_document_supported: true,
  authorization_response_iss_parameter_supported: true,
})

/** RFC 9728. */
export const resourceMetadata = ({ issuer, resource }: AuthorizationServer) => ({
  resource,
  authorization_servers: [issuer],
  scopes_supported: [SCOPE],
  bearer_methods_supported: ['header'],
  resource_name: 'Agentopia Toolboxes',
})

/** For `WWW-Authenticate`: where a client without a token learns how to get one (RFC 9728 §5.1). */
export const challengeOf = ({ issuer, resource }: AuthorizationServer): string =>
  `resource_metadata="${issuer}${PATHS.resource}${new URL(resource).pathname}", scope="${SCOPE}"`
