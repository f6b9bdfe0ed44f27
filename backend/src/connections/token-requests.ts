import * as oauth from 'oauth4webapi'
import type { ConnectedServer } from '../store/schema/index.ts'
import type { Sealer } from '../store/seal.ts'
import type { DiscoveryDeps } from './connection.discovery.ts'
import { isRefusal, optionsFor, whyNot } from './oauth-calls.ts'
import { authenticationOf, type ClientRow } from './oauth-client.store.ts'

/** What a token endpoint gave. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  /** Seconds; absent: it did not say. */
  readonly expiresIn: number | undefined
  readonly scopes: readonly string[] | undefined
}

export type TokenOutcome =
  | ({ readonly kind: 'granted' } & Tokens)
  /** It will not: the same again is of no use. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It may have done it: nobody heard. */
  | { readonly kind: 'unknown'; readonly reason: string }

export interface TokenDeps extends DiscoveryDeps {
  readonly sealer: Sealer
}

interface Exchange {
  readonly server: ConnectedServer
  readonly client: ClientRow
  readonly resource: string | null
}

/** Codes and refresh tokens for tokens. Never throws for what the other side does. */
export const createTokenRequests = (deps: TokenDeps) => ({
  /** @param answer What came by the browser: checked here, the issuer before everything else. */
  async byCode(
    { server, client: row, resource }: Exchange,
    answer: URLSearchParams,
    {
      state,
      redirectUri,
      verifier,
    }: { readonly state: string; readonly redirectUri: string; readonly verifier: string },
    signal: AbortSignal,
  ): Promise<TokenOutcome> {
    const as = asOf(server)
    const { client, authentication } = authenticationOf(row, deps.sealer)
    return outcomeOf(async () => {
      const valid = oauth.validateAuthResponse(as, client, answer, state)
      const came = await oauth.authorizationCodeGrantRequest(as, client, authentication, valid, redirectUri, verifier, {
        ...optionsFor(deps, signal),
        ...forResource(resource),
      })
      return oauth.processAuthorizationCodeResponse(as, client, came)
    })
  },

  async byRefreshToken(
    { server, client: row, resource }: Exchange,
    refreshToken: string,
    signal: AbortSignal,
  ): Promise<TokenOutcome> {
    const as = asOf(server)
    const { client, authentication } = authenticationOf(row, deps.sealer)
    return outcomeOf(async () => {
      const came = await oauth.refreshTokenGrantRequest(as, client, authentication, refreshToken, {
        ...optionsFor(deps, signal),
        ...forResource(resource),
      })
      return oauth.processRefreshTokenResponse(as, client, came)
    })
  },

  /** Takes a refresh token back (RFC 7009). @throws {Error} When that is not known to have happened. */
  async revoke(
    { server, client: row }: Pick<Exchange, 'server' | 'client'>,
    refreshToken: string,
    signal: AbortSignal,
  ): Promise<void> {
    const as = asOf(server)
    if (as.revocation_endpoint === undefined) return
    const { client, authentication } = authenticationOf(row, deps.sealer)
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, authentication, refreshToken, optionsFor(deps, signal)),
    )
  },
})
export type TokenRequests = ReturnType<typeof createTokenRequests>

const asOf = ({
  issuer,
  tokenEndpoint,
  revocationEndpoint,
  namesItself,
}: ConnectedServer): oauth.AuthorizationServer => ({
  issuer,
  token_endpoint: tokenEndpoint,
  authorization_response_iss_parameter_supported: namesItself,
  ...(revocationEndpoint ? { revocation_endpoint: revocationEndpoint } : {}),
})

const forResource = (resource: string | null) => (resource === null ? {} : { additionalParameters: { resource } })

async function outcomeOf(ask: () => Promise<oauth.TokenEndpointResponse>): Promise<TokenOutcome> {
  try {
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, ...rest } = await ask()
    // Another kind of token cannot be used by whoever merely has it, as tools do.
    if (rest.token_type !== 'bearer') return { kind: 'refused', reason: 'it gives tokens of another kind than bearer' }
    return { kind: 'granted', accessToken, refreshToken, expiresIn, scopes: rest.scope?.split(' ').filter(Boolean) }
  } catch (error) {
    return { kind: isRefusal(error) ? 'refused' : 'unknown', reason: whyNot(error) }
  }
}
