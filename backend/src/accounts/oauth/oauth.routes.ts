import type { Context, Hono } from 'hono'
import type { ClientAddress } from '../../http/client-address.ts'
import { readJsonBody } from '../../http/json-body.ts'
import type { Clock } from '../../reconcile/clock.ts'
import type { Store } from '../../store/connect.ts'
import { createAttemptLimit } from '../attempt-limit.ts'
import { type AuthorizationServer, judge, one, wordOfQuery } from './authorization-request.ts'
import { insertClient } from './client.store.ts'
import { parseClientMetadata } from './client-metadata.ts'
import type { ClientFinder } from './find-client.ts'
import { readForm } from './form-body.ts'
import { ACCESS_MS } from './lifetimes.ts'
import { PATHS, resourceMetadata, SCOPE, serverMetadata } from './metadata.ts'
import { OAuthError } from './oauth-error.ts'
import { staysHere } from './redirect-uri.ts'
import { type Exchange, exchangeCode, exchangeRefreshToken, revokeToken } from './token.store.ts'

export interface OAuthRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly server: AuthorizationServer
  readonly clients: ClientFinder
  readonly clientAddress: ClientAddress
  /** A token or grant ended: nobody may be remembered. */
  readonly forgetConnected: () => void
}

/** Anybody may register; a stranger shall not fill the database. */
const REGISTRATIONS_PER_MINUTE = 30

/** What MCP clients call themselves: how to get a token, and the tokens (OAuth 2.1, RFC 7591, 7009, 8414, 9728). */
export function oauthRoutes(app: Hono, deps: OAuthRouteDeps): void {
  const { store, clock, server, clients, clientAddress, forgetConnected } = deps
  const registrations = createAttemptLimit({
    perMinute: REGISTRATIONS_PER_MINUTE,
    clock,
    what: 'clients registered from this address',
  })
  const now = () => new Date(clock.now())

  app.get(PATHS.server, (c) => c.json(serverMetadata(server)))
  app.get(PATHS.resource, (c) => c.json(resourceMetadata(server)))
  app.get(PATHS.resource + new URL(server.resource).pathname, (c) => c.json(resourceMetadata(server)))

  app.post(PATHS.register, (c) =>
    answering(c, async () => {
      registrations.take(clientAddress(c))
      const client = parseClientMetadata(await readJsonBody(c.req.raw))
      const { id, name, redirectUris, createdAt } = await store.system((tx) => insertClient(tx, client))
      return c.json(
        {
          client_id: id,
          client_id_issued_at: Math.floor(createdAt.getTime() / 1_000),
          client_name: name,
          redirect_uris: redirectUris,
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
          scope: SCOPE,
        },
        201,
      )
    }),
  )

  // A person's browser comes here. What can be refused at once is, but to no other machine: anybody may register an address, and
  // our own would lead people there unasked (RFC 9700 §4.11). The page asks the person about the rest. A client that is
  // known by a document is looked at there, when it is known who is signed in: a stranger shall not make us dial.
  app.get(PATHS.authorize, async (c) => {
    const { search, searchParams } = new URL(c.req.url)
    const clientId = one(searchParams, 'client_id')
    const client = clientId === undefined ? undefined : await clients.registered(clientId)
    const verdict = client && judge(searchParams, client, server)
    if (verdict?.kind === 'refused' && staysHere(verdict.redirectUri)) return c.redirect(verdict.redirectTo)
    return c.redirect(`/connect/${wordOfQuery(search.slice(1))}`)
  })

  app.post(PATHS.token, (c) =>
    answering(c, async () => {
      const form = await readForm(c.req.raw)
      if ((form.get('resource') ?? server.resource) !== server.resource)
        throw new OAuthError('invalid_target', `Tokens are good for ${server.resource} only`)
      const exchange = await exchangeOf(form)
      if ('refused' in exchange) {
        forgetConnected() // a grant may have ended with it
        throw new OAuthError('invalid_grant', exchange.refused)
      }
      const { accessToken, refreshToken } = exchange.tokens
      return c.json({
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: ACCESS_MS / 1_000,
        refresh_token: refreshToken,
        scope: SCOPE,
      })
    }),
  )

  app.post(PATHS.revoke, (c) =>
    answering(c, async () => {
      const form = await readForm(c.req.raw)
      const token = needed(form, 'token')
      if (await store.system((tx) => revokeToken(tx, token, form.get('client_id')))) forgetConnected()
      return c.body(null, 200)
    }),
  )

  function exchangeOf(form: ReadonlyMap<string, string>): Promise<Exchange> {
    const grantType = needed(form, 'grant_type')
    const clientId = needed(form, 'client_id')
    if (grantType === 'authorization_code') {
      const asked = {
        clientId,
        code: needed(form, 'code'),
        codeVerifier: needed(form, 'code_verifier'),
        redirectUri: form.get('redirect_uri'),
      }
      return store.system((tx) => exchangeCode(tx, asked, now()))
    }
    if (grantType === 'refresh_token') {
      const asked = { clientId, refreshToken: needed(form, 'refresh_token') }
      return store.system((tx) => exchangeRefreshToken(tx, asked, now()))
    }
    throw new OAuthError('unsupported_grant_type', 'authorization_code and refresh_token are known')
  }
}

function needed(form: ReadonlyMap<string, string>, name: string): string {
  const value = form.get(name)
  if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`)
  return value
}

/** Answers in OAuth's own form; every other failure is a problem, as everywhere. */
async function answering(c: Context, act: () => Promise<Response>): Promise<Response> {
  c.header('cache-control', 'no-store')
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return c.json({ error: error.code, error_description: error.message }, 400)
  }
}
