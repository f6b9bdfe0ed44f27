import { once } from 'node:events'
import { createServer } from 'node:http'
import {
  Client,
  type OAuthClientInformationMixed,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type OAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'

/** A desktop client: it knows the address of an MCP endpoint, and has a person with a browser. */
export interface Desk extends AsyncDisposable {
  /** Connects; where the endpoint wants it, `visit` has to lead the person through the page at that address. */
  connect(visit: (url: string) => Promise<void>): Promise<Client>
  /** The tokens that it holds now. */
  readonly tokens: OAuthTokens | undefined
}

const NAME = 'Desk of the end-to-end tests'

/** @param endpoint All that it is told. */
export async function openDesk(endpoint: string): Promise<Desk> {
  const answers = Promise.withResolvers<URLSearchParams>()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1')
    if (pathname !== '/callback') return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Connected</title>You may close this page.')
    answers.resolve(searchParams)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  const keeper = new Keeper(`http://127.0.0.1:${address.port}/callback`)

  const open = async () => {
    const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: keeper })
    const client = new Client({ name: 'desk', version: '1.0.0' })
    return { transport, ready: client.connect(transport).then(() => client) }
  }

  return {
    get tokens() {
      return keeper.kept
    },
    async connect(visit) {
      const first = await open()
      try {
        return await first.ready
      } catch (error) {
        if (!(error instanceof UnauthorizedError) || keeper.sentTo === undefined) throw error
      }
      await visit(keeper.sentTo.href)
      await first.transport.finishAuth(await answers.promise)
      return (await open()).ready
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What the official client asks its program to keep. */
class Keeper implements OAuthClientProvider {
  readonly redirectUrl: string
  readonly clientMetadata: { client_name: string; redirect_uris: string[] }
  sentTo: URL | undefined
  kept: OAuthTokens | undefined
  #client: OAuthClientInformationMixed | undefined
  #verifier = ''
  #discovered: OAuthDiscoveryState | undefined
  readonly #state = crypto.randomUUID()

  constructor(redirectUrl: string) {
    this.redirectUrl = redirectUrl
    this.clientMetadata = { client_name: NAME, redirect_uris: [redirectUrl] }
  }

  state = () => this.#state
  clientInformation = () => this.#client
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.#client = client
  }
  tokens = () => this.kept
  saveTokens(tokens: OAuthTokens) {
    this.kept = tokens
  }
  redirectToAuthorization(url: URL) {
    this.sentTo = url
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier
  }
  codeVerifier = () => this.#verifier
  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.#discovered = state
  }
  discoveryState = () => this.#discovered
  invalidateCredentials(which: string) {
    if (which === 'all' || which === 'tokens') this.kept = undefined
    if (which === 'all' || which === 'client') this.#client = undefined
  }
}
