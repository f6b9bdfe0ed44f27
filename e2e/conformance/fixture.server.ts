// The fixture as a process: `fixture.server.ts stdio|http [both|legacy|modern] [port]`. Over HTTP it prints its port.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { createFixture, type FixtureState } from './fixture.ts'

const [transport = 'stdio', era = 'both', port = '0'] = process.argv.slice(2)
const state: FixtureState = {
  dynamicTool: false,
  dynamicPrompt: false,
  servers: new Set(),
  toolsChanged: () => {},
  promptsChanged: () => {},
}

/** One that lives as long as its connection and shows what changes. */
function connected() {
  const fixture = createFixture(state)
  state.servers.add(fixture)
  fixture.server.server.onclose = () => void state.servers.delete(fixture)
  return fixture.server
}

function overStdio(): void {
  if (era === 'legacy') void connected().connect(new StdioServerTransport())
  else serveStdio(connected, { legacy: era === 'both' ? 'serve' : 'reject' })
}

function overHttp(): void {
  const modern = createMcpHandler(() => createFixture(state).server, { legacy: 'reject' })
  state.toolsChanged = () => modern.notify.toolsChanged()
  state.promptsChanged = () => modern.notify.promptsChanged()
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()

  async function legacy(request: Request): Promise<Response> {
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : sessions.get(id)
    if (known) return known.handleRequest(request)
    if (id !== null) return new Response('no such session', { status: 404 })
    const opened = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (given) => void sessions.set(given, opened),
      onsessionclosed: (given) => void sessions.delete(given),
    })
    await connected().connect(opened)
    return opened.handleRequest(request)
  }

  async function serve(request: Request): Promise<Response> {
    // In a container it is reached by an address that it does not know.
    const stranger =
      process.env['FIXTURE_HOSTS'] === 'any'
        ? undefined
        : (hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
          originValidationResponse(request, localhostAllowedOrigins()))
    if (stranger) return stranger
    const isLegacy = await isLegacyRequest(request)
    if (era === 'legacy' && !isLegacy) return new Response('Bad Request: unsupported protocol version', { status: 400 })
    return isLegacy && era !== 'modern' ? legacy(request) : modern.fetch(request)
  }

  const server = createServer(getRequestListener(serve, { overrideGlobalObjects: false }))
  server.listen(Number(port), process.env['FIXTURE_HOSTS'] === 'any' ? '0.0.0.0' : '127.0.0.1', () =>
    console.log((server.address() as AddressInfo).port),
  )
}

if (transport === 'http') overHttp()
else overStdio()
