import { problem } from '@agentopia/api'
import * as oauth from 'oauth4webapi'
import { isRefusal, optionsFor, whyNot } from '../connections/oauth-calls.ts'
import { createGuardedFetch, type GuardedFetch } from '../http/guarded-fetch.ts'
import type { SignOnConfig } from './sign-on.config.ts'
import type { SignOnClaims } from './sign-on.decision.ts'

/** What of an attempt goes with the browser, and what is kept from everybody else. */
export interface SignOnSecrets {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** Signatures that only the provider can make: not `none`, and none with the secret that both sides know. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'RS384', 'PS384', 'ES384', 'RS512', 'PS512', 'ES512', 'Ed25519', 'EdDSA']
const LONGEST_SUBJECT = 255
const LONGEST_NAME = 100

/** Who came back, and when he last signed in there, in milliseconds; a provider need not say. */
export type CameBack = SignOnClaims & {
  readonly name: string | undefined
  readonly authenticatedAt: number | undefined
}

/**
 * The OpenID provider that this control plane is configured with: discovery, authorization code, proof key, nonce. What it says of
 * itself is read anew for every sign-in, so that a key that it changed is known at once.
 */
export function createSignOnProvider(
  { issuer, clientId, clientSecret }: SignOnConfig,
  redirectUri: string,
  // Its address was chosen by whoever runs this control plane, and may be in their own network.
  fetch: GuardedFetch = createGuardedFetch({ mayDial: () => true, plain: issuer.startsWith('http:') }),
) {
  const plain = issuer.startsWith('http:')
  const host = new URL(issuer).host
  const client: oauth.Client = { client_id: clientId }

  async function discovered(signal: AbortSignal): Promise<oauth.AuthorizationServer> {
    const url = new URL(issuer)
    const options = { algorithm: 'oidc' as const, ...optionsFor({ fetch, plain }, signal) }
    const found = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options))
    const said = found.id_token_signing_alg_values_supported ?? ['RS256']
    return { ...found, id_token_signing_alg_values_supported: said.filter((one) => ALGORITHMS.includes(one)) }
  }

  function authenticationFor({ token_endpoint_auth_methods_supported: methods }: oauth.AuthorizationServer) {
    if (clientSecret === undefined) return oauth.None()
    return methods && !methods.includes('client_secret_basic') && methods.includes('client_secret_post')
      ? oauth.ClientSecretPost(clientSecret)
      : oauth.ClientSecretBasic(clientSecret)
  }

  return {
    /**
     * Where the browser goes. @param anew The person is to be asked again, whatever session he has at the provider.
     * @throws {ProblemError} `provider-refused`, `provider-unavailable`
     */
    authorizationUrl: (
      { state, nonce, verifier }: SignOnSecrets,
      { anew }: { readonly anew: boolean },
      signal: AbortSignal,
    ): Promise<string> =>
      asked(host, async () => {
        const { authorization_endpoint: endpoint = '' } = await discovered(signal)
        const url = URL.parse(endpoint)
        if (!url || !(url.protocol === 'https:' || (plain && url.protocol === 'http:')))
          throw new oauth.OperationProcessingError('it names no https address to sign in at')
        for (const [name, value] of Object.entries({
          response_type: 'code',
          client_id: clientId,
          redirect_uri: redirectUri,
          scope: 'openid email profile',
          state,
          nonce,
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...(anew ? { prompt: 'login', max_age: '0' } : {}),
        }))
          url.searchParams.set(name, value)
        return url.href
      }),

    /**
     * Who came back. The issuer of the answer is checked before its code is given to anybody (RFC 9207); of the ID token its
     * signature, issuer, audience, times and nonce. @throws {ProblemError} `provider-refused`, `provider-unavailable`
     */
    read: (
      answer: URLSearchParams,
      { state, nonce, verifier }: SignOnSecrets,
      signal: AbortSignal,
    ): Promise<CameBack> =>
      asked(host, async () => {
        const as = await discovered(signal)
        const options = optionsFor({ fetch, plain }, signal)
        const valid = oauth.validateAuthResponse(as, client, answer, state)
        const came = await oauth.authorizationCodeGrantRequest(
          as,
          client,
          authenticationFor(as),
          valid,
          redirectUri,
          verifier,
          optionsFor({ fetch, plain }, signal),
        )
        const tokens = await oauth.processAuthorizationCodeResponse(as, client, came, {
          expectedNonce: nonce,
          requireIdToken: true,
        })
        await oauth.validateApplicationLevelSignature(as, came, options)
        return claimsOf(oauth.getValidatedIdTokenClaims(tokens)!)
      }),
  }
}

function claimsOf({ sub, email, email_verified: verified, name, auth_time: at }: oauth.IDToken): CameBack {
  if (sub.length > LONGEST_SUBJECT)
    throw new oauth.OperationProcessingError('it names persons by words that are too long')
  return {
    subject: sub,
    email: typeof email === 'string' ? email.toLowerCase() : undefined,
    emailVerified: verified === true,
    authenticatedAt: typeof at === 'number' ? at * 1_000 : undefined,
    name: typeof name === 'string' && name.trim() !== '' ? name.trim().slice(0, LONGEST_NAME) : undefined,
  }
}

async function asked<Found>(host: string, ask: () => Promise<Found>): Promise<Found> {
  try {
    return await ask()
  } catch (cause) {
    const code = isRefusal(cause) ? 'provider-refused' : 'provider-unavailable'
    throw problem(code, `${host}: ${whyNot(cause)}. Begin the sign-in again`, { cause })
  }
}
