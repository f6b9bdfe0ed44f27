import { createHash, createHmac, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What it does wrong; each until it is taken back. */
export interface Misbehaviour {
  /** Claims of the ID token that are other than they should be; `undefined` leaves one out. */
  claims?: Readonly<Record<string, unknown>>
  /** Signs with nothing (`none`), or with the secret that both sides know (`HS256`). */
  algorithm?: 'none' | 'HS256'
  /** Signs with a key that it does not publish. */
  foreignKey?: boolean
  /** In its metadata it says that it is another. */
  issuerInMetadata?: string
  /** In the answer that goes by the browser it says that it is another; null: it says nothing. */
  issuerInAnswer?: string | null
  /** The person says no. */
  denied?: boolean
  /** Answers the token endpoint with a page of HTML. */
  html?: boolean
  /** Answers everything with this status. */
  status?: number
  /** Does not ask its person anew, though it was asked to. */
  heedless?: boolean
  /** Never answers the token endpoint. */
  silent?: boolean
}

/** Who stands before it. */
export interface ProvidedPerson {
  readonly sub: string
  readonly email: string
  readonly name: string
}

interface Code {
  readonly nonce: string
  readonly challenge: string
  readonly redirectUri: string
  readonly person: ProvidedPerson
  readonly authenticatedAt: number
}

export const CLIENT = { clientId: 'toolboxes', clientSecret: `not-a-real-secret-${randomBytes(8).toString('hex')}` }

/**
 * An OpenID provider over a real socket, whose person says yes at once. It takes a code once, with the right proof key and secret,
 * signs with RS256, and can be made to misbehave. The person has a session there, and signs in anew only when the provider is asked for it.
 * @param now By which clock it says when that was.
 */
export async function openProvider({ now = Date.now }: { readonly now?: () => number } = {}) {
  const wrong: Misbehaviour = {}
  const codes = new Map<string, Code>()
  const requests: string[] = []
  let key = newKey()
  let authenticatedAt = now()
  let person: ProvidedPerson = { sub: 'subject-1', email: 'ada@example.com', name: 'Ada' }

  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const metadata = () => ({
    issuer: wrong.issuerInMetadata ?? issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'none', 'HS256'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url!, issuer)
    requests.push(`${request.method} ${url.pathname}`)
    const send = (status: number, value: object) =>
      response
        .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        .end(JSON.stringify(value))
    if (wrong.status !== undefined) return void send(wrong.status, { error: 'temporarily_unavailable' })
    if (url.pathname === '/.well-known/openid-configuration') return void send(200, metadata())
    if (url.pathname === '/keys') return void send(200, { keys: [key.jwk] })
    if (url.pathname === '/authorize')
      return void response.writeHead(302, { location: consent(url.href).redirect }).end()
    if (url.pathname !== '/token') return void send(404, { error: 'not_found' })
    if (wrong.silent) return
    if (wrong.html)
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Down for maintenance</h1>')
    const answer = redeemed(new URLSearchParams(Buffer.concat(chunks).toString()), request.headers.authorization)
    send('error' in answer ? 400 : 200, answer)
  }

  function redeemed(form: URLSearchParams, authorization: string | undefined): object {
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const proof = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const secret = Buffer.from(authorization?.replace('Basic ', '') ?? '', 'base64').toString()
    if (decodeURIComponent(secret) !== `${CLIENT.clientId}:${CLIENT.clientSecret}`) return { error: 'invalid_client' }
    if (code?.challenge !== proof || code.redirectUri !== form.get('redirect_uri')) return { error: 'invalid_grant' }
    return { access_token: 'not-used', token_type: 'Bearer', expires_in: 60, id_token: idToken(code) }
  }

  function idToken({ nonce, authenticatedAt, person: { sub, email, name } }: Code): string {
    const issuedAt = Math.floor(Date.now() / 1_000)
    const claims = { iss: issuer, aud: CLIENT.clientId, sub, email, name, email_verified: true, nonce }
    const times = { auth_time: Math.floor(authenticatedAt / 1_000), iat: issuedAt, exp: issuedAt + 60 }
    const payload = { ...claims, ...times, ...wrong.claims }
    return sign(payload, wrong.foreignKey ? { ...newKey(), kid: key.kid } : key, wrong.algorithm)
  }

  /** What a browser brings back from there. */
  function consent(authorizationUrl: string) {
    const asked = new URL(authorizationUrl).searchParams
    const redirectUri = asked.get('redirect_uri')!
    if (asked.get('client_id') !== CLIENT.clientId) throw new Error('this client is not known')
    if (asked.get('code_challenge_method') !== 'S256') throw new Error('there is no proof key')
    if (!asked.get('scope')?.split(' ').includes('openid')) throw new Error('it is not asked for an ID token')
    const code = randomBytes(12).toString('hex')
    if (asked.get('prompt') === 'login' && asked.get('max_age') === '0' && !wrong.heedless) authenticatedAt = now()
    const [nonce, challenge] = [asked.get('nonce')!, asked.get('code_challenge')!]
    codes.set(code, { nonce, challenge, redirectUri, person, authenticatedAt })
    const iss = wrong.issuerInAnswer === undefined ? issuer : wrong.issuerInAnswer
    const answer = {
      state: asked.get('state')!,
      ...(iss === null ? {} : { iss }),
      ...(wrong.denied ? { error: 'access_denied' } : { code }),
    }
    const back = new URL(redirectUri)
    back.search = new URLSearchParams(answer).toString()
    return { answer, redirect: back.href }
  }

  return {
    issuer,
    wrong,
    requests,
    consent,
    /** Somebody else stands before it now. */
    becomes(someone: ProvidedPerson) {
      person = someone
    },
    rotateKey() {
      key = newKey()
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Key {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: object
}

function newKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const kid = randomBytes(6).toString('hex')
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
  return { kid, privateKey, jwk }
}

function sign(payload: object, { kid, privateKey }: Key, algorithm: Misbehaviour['algorithm']): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: algorithm ?? 'RS256', kid })}.${part(payload)}`
  if (algorithm === 'none') return `${text}.`
  if (algorithm === 'HS256')
    return `${text}.${createHmac('sha256', CLIENT.clientSecret).update(text).digest('base64url')}`
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey).toString('base64url')}`
}
