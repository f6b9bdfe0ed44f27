import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What it does wrong; each until it is taken back. */
interface Misbehaviour {
  /** In its metadata it says that it is another. */
  issuerInMetadata?: string
  /** In the answer that goes by the browser it says that it is another; null: it says nothing. */
  issuerInAnswer?: string | null
  /** It does not say that it takes proof keys. */
  noPkce?: boolean
  /** It registers no clients. */
  noRegistration?: boolean
  /** The person says no. */
  denied?: boolean
  /** Refuses to refresh. */
  refuseRefresh?: boolean
  /** Does what it is asked and then the line breaks, so many times. */
  loseAnswers?: number
  /** Answers 503, so many times. */
  ill?: number
  /** Does not answer the token endpoint. */
  silent?: boolean
  tokenType?: string
  /** Gives no refresh token. */
  noRefreshToken?: boolean
  /** A used refresh token ends everything that came of it (RFC 9700 §4.14); else the lost answer is given again. */
  strict?: boolean
  expiresIn?: number
}

interface Code {
  readonly clientId: string
  readonly redirectUri: string
  readonly challenge: string
  readonly resource: string | null
}

/** An authorization server and a resource that names it, over a real socket. It rotates its refresh tokens, and can be made to misbehave. */
export async function openFakeAuthorizationServer(accessToken = (issued: number) => `access-${issued}`) {
  const wrong: Misbehaviour = {}
  const clients = new Map<string, readonly string[]>()
  const codes = new Map<string, Code>()
  /** Refresh tokens that are good, and those that were used, with what they were answered. */
  const good = new Map<string, { readonly clientId: string; readonly resource: string | null }>()
  const used = new Map<string, object>()
  const requests: string[] = []
  const revoked: string[] = []
  let issued = 0

  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  function metadata() {
    return {
      issuer: wrong.issuerInMetadata ?? origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      revocation_endpoint: `${origin}/revoke`,
      response_types_supported: ['code'],
      authorization_response_iss_parameter_supported: true,
      ...(wrong.noRegistration ? {} : { registration_endpoint: `${origin}/register` }),
      ...(wrong.noPkce ? {} : { code_challenge_methods_supported: ['S256'] }),
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const { pathname } = new URL(request.url!, origin)
    requests.push(`${request.method} ${pathname}`)
    const send = (status: number, value: object) =>
      response
        .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        .end(JSON.stringify(value))
    if (pathname === '/.well-known/oauth-protected-resource/mcp')
      return void send(200, { resource: `${origin}/mcp`, authorization_servers: [origin] })
    if (pathname === '/authorize') {
      // The person who stands before it says yes at once.
      const { server: _, ...came } = consent(new URL(request.url!, origin).href)
      const back = new URL(new URL(request.url!, origin).searchParams.get('redirect_uri')!)
      back.search = new URLSearchParams(came).toString()
      return void response.writeHead(302, { location: back.href }).end()
    }
    if (pathname === '/.well-known/oauth-authorization-server') return void send(200, metadata())
    if (pathname === '/register') {
      const { redirect_uris: uris, ...asked } = JSON.parse(body) as { redirect_uris: string[] }
      const clientId = `client-${clients.size + 1}`
      clients.set(clientId, uris)
      return void send(201, { ...asked, client_id: clientId, redirect_uris: uris })
    }
    if (pathname === '/revoke') {
      const token = new URLSearchParams(body).get('token')!
      revoked.push(token)
      good.delete(token)
      return void response.writeHead(200).end()
    }
    if (pathname === '/token') return answerToken(new URLSearchParams(body), send, response)
    send(404, { error: 'not_found' })
  }

  function answerToken(
    form: URLSearchParams,
    send: (status: number, value: object) => void,
    response: ServerResponse,
  ): void {
    if (wrong.silent) return
    if (wrong.ill && wrong.ill > 0) {
      wrong.ill -= 1
      return void send(503, { error: 'temporarily_unavailable' })
    }
    const answer = form.get('grant_type') === 'refresh_token' ? refreshed(form) : redeemed(form)
    if (wrong.loseAnswers && wrong.loseAnswers > 0) {
      wrong.loseAnswers -= 1
      return void response.destroy()
    }
    send('error' in answer ? 400 : 200, answer)
  }

  function redeemed(form: URLSearchParams): object {
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const proof = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const fits =
      code?.clientId === form.get('client_id') &&
      code.redirectUri === form.get('redirect_uri') &&
      code.challenge === proof &&
      code.resource === form.get('resource')
    return fits ? tokensFor(code.clientId, code.resource) : { error: 'invalid_grant' }
  }

  function refreshed(form: URLSearchParams): object {
    const token = form.get('refresh_token') ?? ''
    if (wrong.refuseRefresh) return { error: 'invalid_grant' }
    const before = used.get(token)
    if (before && !wrong.strict) return before
    const grant = good.get(token)
    if (!grant || grant.clientId !== form.get('client_id') || grant.resource !== form.get('resource')) {
      if (before) good.clear()
      return { error: 'invalid_grant' }
    }
    good.delete(token)
    const tokens = tokensFor(grant.clientId, grant.resource)
    used.set(token, tokens)
    return tokens
  }

  function tokensFor(clientId: string, resource: string | null): object {
    issued += 1
    const refreshToken = `refresh-${issued}-${randomBytes(8).toString('hex')}`
    good.set(refreshToken, { clientId, resource })
    return {
      access_token: accessToken(issued),
      token_type: wrong.tokenType ?? 'Bearer',
      expires_in: wrong.expiresIn ?? 3_600,
      ...(wrong.noRefreshToken ? {} : { refresh_token: refreshToken }),
    }
  }

  /** What a browser brings back from there. */
  function consent(
    authorizationUrl: string,
  ): Readonly<Record<string, string>> & { readonly server: string; readonly state: string } {
    const asked = new URL(authorizationUrl).searchParams
    const [clientId, redirectUri] = [asked.get('client_id')!, asked.get('redirect_uri')!]
    const known = clients.get(clientId)
    if (known && !known.includes(redirectUri)) throw new Error('the redirect address is not the registered one')
    if (asked.get('code_challenge_method') !== 'S256') throw new Error('there is no proof key')
    const code = randomBytes(8).toString('hex')
    codes.set(code, {
      clientId,
      redirectUri,
      challenge: asked.get('code_challenge')!,
      resource: asked.get('resource'),
    })
    const iss = wrong.issuerInAnswer === undefined ? origin : wrong.issuerInAnswer
    return {
      server: new URL(redirectUri).pathname.split('/').at(-1)!,
      state: asked.get('state')!,
      ...(iss === null ? {} : { iss }),
      ...(wrong.denied ? { error: 'access_denied' } : { code }),
    }
  }

  return {
    origin,
    resource: `${origin}/mcp`,
    wrong,
    requests,
    revoked,
    consent,
    /** How many refresh tokens are good. */
    goodTokens: () => good.size,
    goodRefreshTokens: () => [...good.keys()],
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
