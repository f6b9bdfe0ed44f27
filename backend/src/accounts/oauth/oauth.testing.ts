import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type As,
  browserOf,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
} from '../../control-plane.testing.ts'
import { ownNames } from '../../http/same-site.ts'
import { newId } from '../../new-id.ts'
import { type Clock, systemClock } from '../../reconcile/clock.ts'
import {
  agents,
  agentToolboxAccess,
  capabilityPermissions,
  instances,
  toolbeltItems,
  toolboxes,
} from '../../store/schema/index.ts'
import type { ReadClientDocument } from './client-document.ts'

export const REDIRECT = 'http://127.0.0.1:7000/callback'
const ACCOUNT = 'account_home'

export type ServedControlPlane = Awaited<ReturnType<typeof openServedControlPlane>>

/** A whole control plane on a real socket, with two agents that may each call another tool, and people who may consent. */
export async function openServedControlPlane(clock: Clock = systemClock, readClientDocument?: ReadClientDocument) {
  let plane: TestControlPlane | undefined
  const server = createServer((request, response) => plane?.listener(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://localhost:${port}`
  plane = await openTestControlPlane(clock, {
    publicUrl: origin,
    own: mergeNames(ownNames({ host: '127.0.0.1', port }, origin), ownNames({ host: '127.0.0.1', port: 3000 }, origin)),
    ...(readClientDocument ? { readClientDocument } : {}),
  })
  const { store, close } = plane
  const home = plane
  const operator = await signedIn(home, ACCOUNT, 'operator')
  const tools = { research: await seedAgent('research', 'search'), billing: await seedAgent('billing', 'pay') }

  async function seedAgent(name: string, capability: string) {
    const of = { accountId: ACCOUNT }
    const [agentId, toolboxId, instanceId, itemId] = [newId('agent'), newId('toolbox'), newId('inst'), newId('belt')]
    await store.system(async (tx) => {
      await tx.insert(toolboxes).values({ ...of, id: toolboxId, name, provider: 'join', status: 'active' })
      await tx.insert(agents).values({ ...of, id: agentId, name })
      await tx.insert(agentToolboxAccess).values({ ...of, agentId, toolboxId })
      await tx.insert(instances).values({
        ...of,
        id: instanceId,
        toolboxId,
        toolId: 'fake',
        name,
        config: {},
        desired: 'running',
        capabilities: [{ name: capability, inputSchema: { type: 'object' }, digest: '' }],
      })
      await tx.insert(toolbeltItems).values({ ...of, id: itemId, agentId, instanceId })
      await tx.insert(capabilityPermissions).values({ ...of, toolbeltItemId: itemId, capability })
    })
    return agentId
  }

  /** What a person's browser sends to the API. */
  async function api(method: string, path: string, body?: unknown, as: As = operator) {
    const { userId: _, ...headers } = as as As & { userId?: string }
    const answer = await fetch(origin + path, {
      method,
      headers: { ...headers, origin, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }

  const form = (path: string, fields: Readonly<Record<string, string>>) =>
    fetch(origin + path, { method: 'POST', body: new URLSearchParams(fields) })

  async function register(redirectUris: readonly string[] = [REDIRECT], more: object = {}) {
    const answer = await fetch(`${origin}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: redirectUris, client_name: 'Desk', ...more }),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> & { client_id: string } }
  }

  /** Where the authorization endpoint sends the browser. */
  async function authorize(query: Readonly<Record<string, string>>): Promise<URL> {
    const answer = await fetch(`${origin}/oauth/authorize?${new URLSearchParams(query)}`, { redirect: 'manual' })
    if (answer.status !== 302) throw new Error(`the authorization endpoint answered ${answer.status}`)
    return new URL(answer.headers.get('location') ?? '', origin)
  }

  /** Says yes, signed in just now, in the page that the browser was sent to. @returns where the browser goes next. */
  async function consent(page: URL, agentId: string, as: typeof operator = operator): Promise<URL> {
    const request = page.pathname.replace('/connect/', '')
    const { status, body } = await api(
      'POST',
      '/api/authorization',
      { request, decision: { kind: 'agent', agentId } },
      await browserOf(home, as.userId),
    )
    if (status !== 200) throw new Error(`the consent was answered ${status}: ${JSON.stringify(body)}`)
    return new URL(body.redirectTo)
  }

  /** Everything up to the code. */
  async function codeFor(agentId: string, more: Readonly<Record<string, string>> = {}, as: typeof operator = operator) {
    const clientId = more['client_id'] ?? (await register()).body.client_id
    const verifier = randomBytes(32).toString('base64url')
    const asked = { ...requestOf(clientId, verifier), ...more }
    const answer = await consent(await authorize(asked), agentId, as)
    return { clientId, verifier, answer, code: answer.searchParams.get('code') ?? '' }
  }

  const exchange = (
    { clientId, code, verifier }: { clientId: string; code: string; verifier: string },
    more: Readonly<Record<string, string>> = {},
  ) =>
    form('/oauth/token', {
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      code_verifier: verifier,
      redirect_uri: REDIRECT,
      ...more,
    })

  const refresh = (clientId: string, refreshToken: string) =>
    form('/oauth/token', { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken })

  /** The whole way to tokens of an agent. */
  async function connect(agentId: string, as: typeof operator = operator) {
    const asked = await codeFor(agentId, {}, as)
    const answer = await exchange(asked)
    const tokens = (await answer.json()) as { access_token: string; refresh_token: string }
    return { clientId: asked.clientId, access: tokens.access_token, refreshToken: tokens.refresh_token }
  }

  /** Asks the MCP endpoint which tools there are. */
  async function listTools(token?: string, headers: Readonly<Record<string, string>> = {}) {
    const answer = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    })
    const body = (await answer.json()) as { result?: { tools: { name: string }[] } }
    return { status: answer.status, headers: answer.headers, tools: body.result?.tools.map(({ name }) => name) }
  }

  return {
    plane,
    store,
    origin,
    operator,
    agents: tools,
    api,
    form,
    register,
    authorize,
    consent,
    codeFor,
    exchange,
    refresh,
    connect,
    listTools,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await close()
    },
  }
}

export const challengeFor = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')

/** A right authorization request, in parts. */
export const requestOf = (clientId: string, verifier: string) => ({
  response_type: 'code',
  client_id: clientId,
  redirect_uri: REDIRECT,
  code_challenge: challengeFor(verifier),
  code_challenge_method: 'S256',
  state: 'a state',
})

type Names = ReturnType<typeof ownNames>
const mergeNames = (one: Names, other: Names): Names => ({
  hosts: one.hosts.union(other.hosts),
  origins: one.origins.union(other.origins),
})
