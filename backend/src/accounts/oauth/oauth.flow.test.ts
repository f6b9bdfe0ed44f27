import {
  auth,
  Client,
  type OAuthClientInformationMixed,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type OAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openServedControlPlane, REDIRECT, type ServedControlPlane } from './oauth.testing.ts'

// The official client knows the address and nothing else.

let served: ServedControlPlane
beforeAll(async () => {
  served = await openServedControlPlane()
})
afterAll(() => served.close())

/** What a desktop client keeps; the browser of its person is `visited`. */
class Desk implements OAuthClientProvider {
  redirectUrl = REDIRECT
  visited: URL | undefined
  client: OAuthClientInformationMixed | undefined
  kept: OAuthTokens | undefined
  discovered: OAuthDiscoveryState | undefined
  verifier = ''
  clientMetadata = { client_name: 'Desk', redirect_uris: [REDIRECT] }
  state = () => 'state-of-desk'
  clientInformation = () => this.client
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.client = client
  }
  tokens = () => this.kept
  saveTokens(tokens: OAuthTokens) {
    this.kept = tokens
  }
  redirectToAuthorization(url: URL) {
    this.visited = url
  }
  saveCodeVerifier(verifier: string) {
    this.verifier = verifier
  }
  codeVerifier = () => this.verifier
  saveDiscoveryState(found: OAuthDiscoveryState) {
    this.discovered = found
  }
  discoveryState = () => this.discovered
  invalidateCredentials(which: string) {
    if (which === 'all' || which === 'tokens') this.kept = undefined
    if (which === 'all' || which === 'client') this.client = undefined
  }
}

async function visit(url: URL, agentId: string): Promise<URL> {
  const page = await served.authorize(Object.fromEntries(url.searchParams))
  expect(page.pathname).toMatch(/^\/connect\/q/)
  return served.consent(page, agentId)
}

test('a client that is given the address alone registers, is consented to, and acts as the agent that was chosen', async () => {
  const desk = new Desk()
  const url = new URL(`${served.origin}/mcp`)
  const first = new StreamableHTTPClientTransport(url, { authProvider: desk })
  await expect(new Client({ name: 'desk', version: '1' }).connect(first)).rejects.toThrow(UnauthorizedError)
  expect(desk.client?.client_id).toMatch(/^client_/)

  const answer = await visit(desk.visited!, served.agents.research)
  expect(answer.searchParams.get('state')).toBe('state-of-desk')
  await first.finishAuth(answer.searchParams)

  const client = new Client({ name: 'desk', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: desk }))
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['research__search'])
  const refused = await client.callTool({ name: 'billing__pay', arguments: {} }).catch((error: unknown) => error)
  expect(JSON.stringify(refused) + String(refused)).toMatch(/billing__pay|not granted|denied/i)
  await client.close()

  const { items } = (await served.api('GET', `/api/agents/${served.agents.research}/clients`)).body
  expect(items).toMatchObject([{ name: 'Desk', redirectHost: '127.0.0.1:7000', clientId: desk.client?.client_id }])
})

test('M11 ★ the client notices an answer that another server claims to have given', async () => {
  const desk = new Desk()
  const serverUrl = `${served.origin}/mcp`
  await auth(desk, { serverUrl })
  const answer = await visit(desk.visited!, served.agents.research)
  const authorizationCode = answer.searchParams.get('code')!
  await expect(auth(desk, { serverUrl, authorizationCode, iss: 'https://evil.example' })).rejects.toThrow(/issuer/i)
  await expect(auth(desk, { serverUrl, authorizationCode })).rejects.toThrow(/iss/i) // the metadata promises one
})

test('a client refreshes by itself, and is sent to the person again when it was disconnected', async () => {
  const desk = new Desk()
  const serverUrl = `${served.origin}/mcp`
  expect(await auth(desk, { serverUrl })).toBe('REDIRECT')
  const answer = await visit(desk.visited!, served.agents.billing)
  await auth(desk, { serverUrl, authorizationCode: answer.searchParams.get('code')!, iss: served.origin })
  const before = desk.kept!
  expect(await auth(desk, { serverUrl })).toBe('AUTHORIZED')
  expect(desk.kept!.refresh_token).not.toBe(before.refresh_token)
  expect((await served.listTools(desk.kept!.access_token)).tools).toEqual(['billing__pay'])

  const { items } = (await served.api('GET', `/api/agents/${served.agents.billing}/clients`)).body
  expect((await served.api('DELETE', `/api/agents/${served.agents.billing}/clients/${items[0].id}`)).status).toBe(204)
  expect((await served.listTools(desk.kept!.access_token)).status).toBe(401)
  desk.visited = undefined
  expect(await auth(desk, { serverUrl })).toBe('REDIRECT')
  expect(desk.visited).toBeInstanceOf(URL)
})
