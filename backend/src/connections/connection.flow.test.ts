import type { Credential, OAuthClient } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ORIGIN, signedIn } from '../control-plane.testing.ts'
import { createGuardedFetch } from '../http/guarded-fetch.ts'
import { connectionAttempts } from '../store/schema/index.ts'
import { openTestConnections, type TestConnections } from './connections.testing.ts'

let world: TestConnections
beforeEach(async () => {
  world = await openTestConnections()
})
afterEach(() => world.close())

interface Answer {
  readonly code: string
  readonly detail: string
  readonly authorizationUrl: string
  readonly credential: Credential
}
const jsonOf = async (answer: Response) => ({ status: answer.status, ...((await answer.json()) as Answer) })
const begun = async () => (await jsonOf(await world.start())).authorizationUrl
const askedForTokens = () => world.server.requests.filter((request) => request === 'POST /token').length
const credential = async () =>
  (await (await world.plane.request('GET', `${world.item}/credential`, world.operator)).json()) as Credential

test('a person is sent to the authorization server with a proof key, a state, the resource, and one exact way back', async () => {
  const asked = new URL(await begun())
  expect(asked.origin + asked.pathname).toBe(`${world.server.origin}/authorize`)
  expect(Object.fromEntries(asked.searchParams)).toMatchObject({
    response_type: 'code',
    code_challenge_method: 'S256',
    scope: 'read write',
    resource: world.server.resource,
    redirect_uri: expect.stringMatching(new RegExp(`^${ORIGIN}/connected/[\\w-]{16}$`)),
    state: expect.stringMatching(/^[\w-]{43}$/),
  })
  expect(await begun()).not.toBe(asked.href)
  expect(world.server.requests.filter((request) => request === 'POST /register')).toHaveLength(1)
})

test('what comes back is a secret of the tool; the refresh token stays here, sealed, and is shown to nobody', async () => {
  expect((await credential()).connection).toMatchObject({ state: 'not_connected', field: 'token' })
  const { status, credential: made } = await jsonOf(await world.connect())
  expect([status, made.state, made.connection?.state]).toEqual([200, 'unverified', 'connected'])
  expect(await world.values()).toEqual({ token: 'access-1' })
  const kept = JSON.stringify([await world.row(), await world.credential(), await credential()])
  expect(kept).not.toMatch(/access-1|refresh-1/)
  expect((await world.row())!.expiresAt!.getTime()).toBeGreaterThan(Date.now())
  const activity = await (await world.plane.request('GET', '/api/activity', world.operator)).text()
  expect(activity).toContain('Connected demo of helper to 127.0.0.1')
})

test('a tool of one’s own is connected by what it was described with', async () => {
  const { plane, operator, ids, server } = world
  const post = async (path: string, body: object) => {
    const answer = await plane.send('POST', path, operator, body)
    return { status: answer.status, body: (await answer.json()) as { readonly id: string } }
  }
  const described = await post('/api/catalog', {
    id: 'calendar',
    title: 'Calendar',
    spec: { package: { type: 'npm', name: 'calendar-server', version: '1.0.0' }, transport: { type: 'stdio' } },
    secrets: [{ key: 'access', title: 'Access token', required: true, target: { env: 'ACCESS' } }],
    oauth: { field: 'access', scopes: ['read'], resource: server.resource },
  })
  expect(described).toMatchObject({ status: 201, body: { own: true, oauth: { field: 'access', scopes: ['read'] } } })
  const deployed = await post(`/api/toolboxes/${ids.toolboxId}/tools`, { toolId: 'calendar', name: 'calendar' })
  await plane.request('PUT', `/api/agents/${ids.agentId}/toolboxes/${ids.toolboxId}`, operator)
  const held = await post(`/api/agents/${ids.agentId}/toolbelt`, { instanceId: deployed.body.id })
  const item = `/api/agents/${ids.agentId}/toolbelt/${held.body.id}`
  const read = async () => (await (await plane.request('GET', `${item}/credential`, operator)).json()) as Credential
  expect(await read()).toMatchObject({ state: 'missing', connection: { state: 'not_connected', field: 'access' } })

  const { authorizationUrl } = await jsonOf(await plane.request('POST', `${item}/connection`, operator))
  expect(new URL(authorizationUrl).searchParams.get('scope')).toBe('read')
  const made = await jsonOf(await world.finish(server.consent(authorizationUrl)))
  expect([made.status, made.credential]).toMatchObject([
    200,
    { state: 'unverified', connection: { state: 'connected', field: 'access' } },
  ])
  expect(await read()).toEqual(made.credential)
})

test('an attempt is good once, for the person who began it, and for ten minutes', async () => {
  const came = world.server.consent(await begun())
  const { userId: _, ...stranger } = await signedIn(world.plane, 'account_home', 'owner')
  const { userId: __, ...elsewhere } = await signedIn(world.plane, 'account_other', 'owner')
  for (const as of [stranger, elsewhere])
    expect(await jsonOf(await world.finish(came, as))).toMatchObject({ code: 'connection-refused' })
  expect((await world.finish(came, await world.anotherBrowser())).status).toBe(200)
  expect(await jsonOf(await world.finish(came))).toMatchObject({ status: 400, code: 'connection-refused' })

  const late = world.server.consent(await begun())
  await world.plane.store.system((tx) =>
    tx.update(connectionAttempts).set({ expiresAt: sql`now() - interval '1 second'` }),
  )
  expect(await jsonOf(await world.finish(late))).toMatchObject({ code: 'connection-refused' })
  expect(await jsonOf(await world.finish({ server: 'x', state: 'invented' }))).toMatchObject({
    code: 'connection-refused',
  })
  expect(askedForTokens()).toBe(1)
})

test('M11 an answer of another authorization server is refused before the code is given to anybody (mix-up)', async () => {
  const came = world.server.consent(await begun())
  expect(await jsonOf(await world.finish({ ...came, server: 'of-another-server' }))).toMatchObject({
    code: 'connection-refused',
  })
  world.server.wrong.issuerInAnswer = 'https://attacker.example.com'
  expect(await jsonOf(await world.finish(world.server.consent(await begun())))).toMatchObject({
    status: 422,
    code: 'provider-refused',
  })
  world.server.wrong.issuerInAnswer = null
  expect(await jsonOf(await world.finish(world.server.consent(await begun())))).toMatchObject({
    code: 'provider-refused',
  })
  expect(askedForTokens()).toBe(0)
  expect(await world.row()).toBeUndefined()
})

test.each([
  ['says that it is another', { issuerInMetadata: 'https://attacker.example.com' }],
  ['takes no proof keys', { noPkce: true }],
])('a server that %s is one that nobody is sent to', async (_, wrong) => {
  Object.assign(world.server.wrong, wrong)
  expect(await jsonOf(await world.start())).toMatchObject({ status: 422, code: 'provider-refused' })
})

test('a person who says no, and tokens that cannot be used, end in words; nothing is stored', async () => {
  world.server.wrong.denied = true
  expect(await jsonOf(await world.connect())).toMatchObject({
    status: 422,
    detail: expect.stringContaining('access_denied'),
  })
  Object.assign(world.server.wrong, { denied: false, tokenType: 'DPoP' })
  expect(await jsonOf(await world.connect())).toMatchObject({ status: 422, code: 'provider-refused' })
  expect([await world.row(), await world.credential()]).toEqual([undefined, undefined])
})

test('a server that does not answer is no failure of ours, and the code is not used again', async () => {
  world.server.wrong.silent = true
  const came = world.server.consent(await begun())
  expect(await jsonOf(await world.finish(came))).toMatchObject({ status: 503, code: 'provider-unavailable' })
  world.server.wrong.silent = false
  expect(await jsonOf(await world.finish(came))).toMatchObject({ code: 'connection-refused' })
})

test('where clients do not register themselves, somebody does, with the address that is named', async () => {
  world.server.wrong.noRegistration = true
  const redirectUri = new RegExp(`redirect address ${ORIGIN}/connected/[\\w-]{16}$`)
  expect(await jsonOf(await world.start())).toMatchObject({
    status: 409,
    code: 'oauth-client-missing',
    detail: expect.stringMatching(redirectUri),
  })
  const client = { issuer: world.server.origin, clientId: 'by-hand-7', clientSecret: 'the-secret-of-the-client' }
  const stored = await world.plane.send('PUT', '/api/connections/clients', world.operator, client)
  expect(await stored.json()).toMatchObject({ clientId: 'by-hand-7', secret: true, registered: 'by-hand' })
  expect(await begun()).toContain('client_id=by-hand-7')
  const listed = await (await world.plane.request('GET', '/api/connections/clients', world.operator)).text()
  expect((JSON.parse(listed) as { items: OAuthClient[] }).items).toHaveLength(1)
  expect(listed).not.toContain('the-secret-of-the-client')
})

test('an ended connection is taken back there, and nothing of it is left here', async () => {
  await world.plane.send('PUT', `${world.item}/credential`, world.operator, { values: { other: 'kept-as-it-is' } })
  await world.connect()
  expect(await world.values()).toEqual({ other: 'kept-as-it-is', token: 'access-1' })
  expect((await world.plane.request('DELETE', `${world.item}/connection`, world.operator)).status).toBe(204)
  expect(world.server.revoked).toEqual([expect.stringContaining('refresh-1')])
  expect(await world.values()).toEqual({ other: 'kept-as-it-is' })
  expect(await credential()).toMatchObject({ state: 'missing', connection: { state: 'not_connected' } })
  expect((await world.plane.request('DELETE', `${world.item}/connection`, world.operator)).status).toBe(204)
})

test('the secret of a connection is not written by hand, and goes with the other secrets when they are revoked', async () => {
  await world.connect()
  const answer = await world.plane.send('PUT', `${world.item}/credential`, world.operator, { values: { token: 'own' } })
  expect(await jsonOf(answer)).toMatchObject({ status: 422, code: 'invalid-credential' })
  await world.plane.request('DELETE', `${world.item}/credential`, world.operator)
  expect([await world.row(), await world.credential()]).toEqual([undefined, undefined])
})

test('T10 an authorization server on this machine or its network is not dialled', async () => {
  const closed = await openTestConnections({ fetch: createGuardedFetch({ plain: true }) })
  try {
    expect(await jsonOf(await closed.start())).toMatchObject({ status: 503, code: 'provider-unavailable' })
    expect(closed.server.requests).toEqual([])
  } finally {
    await closed.close()
  }
})
