import { createHash } from 'node:crypto'
import { problem, type ToolOAuth } from '@agentopia/api'
import * as oauth from 'oauth4webapi'
import type { GuardedFetch } from '../http/guarded-fetch.ts'
import type { ConnectedServer } from '../store/schema/index.ts'
import { isRefusal, optionsFor, whyNot } from './oauth-calls.ts'

/** Where a person consents, and what for. */
export interface Discovered {
  readonly server: ConnectedServer
  /** Where clients register themselves; absent: by hand. */
  readonly registrationEndpoint?: string
  readonly resource: string | undefined
  readonly scopes: readonly string[]
}

export interface DiscoveryDeps {
  readonly fetch: GuardedFetch
  /** Is plain http allowed? */
  readonly plain: boolean
}

/**
 * Finds the authorization server of a tool: as its catalogue entry says, or as the service says for which the tokens are.
 * @throws {ProblemError} `provider-unavailable`, or `provider-refused` for one that nobody should be sent to.
 */
export async function discover(
  { scopes, resource, issuer, endpoints }: ToolOAuth,
  deps: DiscoveryDeps,
  signal: AbortSignal,
): Promise<Discovered> {
  if (issuer !== undefined && endpoints) {
    const { authorization, token, revocation } = endpoints
    const server = {
      issuer,
      authorizationEndpoint: checked(authorization, deps),
      tokenEndpoint: checked(token, deps),
      ...(revocation ? { revocationEndpoint: checked(revocation, deps) } : {}),
      namesItself: false,
    }
    return { server, resource, scopes }
  }
  const named = issuer ?? (await issuerOf(resource!, deps, signal))
  const found = await metadataOf(named, deps, signal)
  return { ...found, resource, scopes }
}

/** The last part of the address to which this server, and no other, sends browsers back: an answer of another one is found out by it. */
export const serverKeyOf = (issuer: string): string =>
  createHash('sha256').update(issuer).digest('base64url').slice(0, 16)

async function issuerOf(resource: string, deps: DiscoveryDeps, signal: AbortSignal): Promise<string> {
  const url = new URL(resource)
  const described = await asked(`What ${url.host} says of its authorization server`, async () =>
    oauth.processResourceDiscoveryResponse(url, await oauth.resourceDiscoveryRequest(url, optionsFor(deps, signal))),
  )
  const [issuer] = described.authorization_servers ?? []
  if (issuer === undefined) throw problem('provider-refused', `${url.host} names no authorization server`)
  return issuer
}

async function metadataOf(
  issuer: string,
  deps: DiscoveryDeps,
  signal: AbortSignal,
): Promise<Pick<Discovered, 'server' | 'registrationEndpoint'>> {
  const url = new URL(checked(issuer, deps))
  const read = (algorithm: 'oauth2' | 'oidc') =>
    asked(`What ${url.host} says of itself`, async () =>
      oauth.processDiscoveryResponse(
        url,
        await oauth.discoveryRequest(url, { algorithm, ...optionsFor(deps, signal) }),
      ),
    )
  const found = await read('oauth2').catch((error: unknown) => {
    if (signal.aborted) throw error
    return read('oidc').catch(() => {
      throw error
    })
  })
  // OAuth 2.1 has no flow without it, and a server that does not say so may leave the proof out.
  if (!found.code_challenge_methods_supported?.includes('S256'))
    throw problem('provider-refused', `${url.host} does not say that it takes proof keys (PKCE, S256)`)
  const { authorization_endpoint: authorization, token_endpoint: token, revocation_endpoint: revocation } = found
  if (!authorization || !token)
    throw problem('provider-refused', `${url.host} names no endpoints for people and tokens`)
  return {
    server: {
      issuer: found.issuer,
      authorizationEndpoint: checked(authorization, deps),
      tokenEndpoint: checked(token, deps),
      ...(revocation ? { revocationEndpoint: checked(revocation, deps) } : {}),
      namesItself: found.authorization_response_iss_parameter_supported === true,
    },
    ...(found.registration_endpoint ? { registrationEndpoint: checked(found.registration_endpoint, deps) } : {}),
  }
}

/** A browser is sent there, and so are secrets: no script, no plain http. */
function checked(address: string, { plain }: DiscoveryDeps): string {
  const url = URL.parse(address)
  if (url && (url.protocol === 'https:' || (plain && url.protocol === 'http:')) && !url.username && !url.password)
    return address
  throw problem('provider-refused', 'An address of the authorization server is no https address')
}

async function asked<Found>(what: string, ask: () => Promise<Found>): Promise<Found> {
  try {
    return await ask()
  } catch (cause) {
    const code = isRefusal(cause) ? 'provider-refused' : 'provider-unavailable'
    throw problem(code, `${what} could not be used: ${whyNot(cause)}`, { cause })
  }
}
