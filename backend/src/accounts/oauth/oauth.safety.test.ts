import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserOf, signedIn } from '../../control-plane.testing.ts'
import { type ManualClock, manualClock } from '../../reconcile/manual-clock.testing.ts'
import { oauthGrants } from '../../store/schema/index.ts'
import { wordOfQuery } from './authorization-request.ts'
import { openServedControlPlane, REDIRECT, requestOf, type ServedControlPlane } from './oauth.testing.ts'

let served: ServedControlPlane
const clock: ManualClock = manualClock(Date.now())

beforeAll(async () => {
  served = await openServedControlPlane(clock)
})
afterAll(() => served.close())

const errorOf = async (answer: Response) => [answer.status, ((await answer.json()) as { error: string }).error]

test('M01 ★ without a token the answer says where to get one, down to the endpoint that gives it', async () => {
  const { status, headers } = await served.listTools()
  expect(status).toBe(401)
  const challenge = headers.get('www-authenticate')!
  const [, address] = /^Bearer .*resource_metadata="([^"]+)"/.exec(challenge)!
  expect(address).toBe(`${served.origin}/.well-known/oauth-protected-resource/mcp`)
  const resource = (await (await fetch(address!)).json()) as { resource: string; authorization_servers: string[] }
  expect(resource).toMatchObject({ resource: `${served.origin}/mcp`, authorization_servers: [served.origin] })
  const server = await (
    await fetch(`${resource.authorization_servers[0]}/.well-known/oauth-authorization-server`)
  ).json()
  expect(server).toMatchObject({
    issuer: served.origin,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  })
  expect(await (await fetch(`${served.origin}/.well-known/oauth-protected-resource`)).json()).toEqual(resource)
  expect((await fetch(`${served.origin}/.well-known/openid-configuration`)).status).toBe(404)
})

describe('M02 ★', () => {
  test('M02 a token for another address, of another kind or of nobody opens nothing at the endpoint', async () => {
    const { access, refreshToken } = await served.connect(served.agents.research)
    expect((await served.listTools(access)).tools).toEqual(['research__search'])
    const unsigned = (claims: object) =>
      [{ alg: 'none', typ: 'JWT' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
        .concat('.')
    const wrong = {
      'a refresh token': refreshToken,
      'a changed token': `${access.slice(0, -1)}${access.endsWith('A') ? 'B' : 'A'}`,
      'a JWT with alg none': unsigned({ iss: served.origin, aud: `${served.origin}/mcp`, sub: served.agents.research }),
      'an empty one': 'oat_',
    }
    for (const [what, token] of Object.entries(wrong)) {
      const { status, headers } = await served.listTools(token)
      expect([what, status]).toEqual([what, 401])
      expect(headers.get('www-authenticate')).toMatch(/error="invalid_token".*resource_metadata=/)
    }
    await served.store.system((tx) => tx.update(oauthGrants).set({ resource: 'https://elsewhere.example/mcp' }))
    await clock.advance(5_000)
    expect((await served.listTools(access)).status).toBe(401)
  })

  test('M02 a token is good at the endpoint alone: the API takes it for nobody’s', async () => {
    const { access } = await served.connect(served.agents.research)
    const answer = await fetch(`${served.origin}/api/me`, { headers: { authorization: `Bearer ${access}` } })
    expect(answer.status).toBe(401)
  })

  test('M02 an expired token is refused, also while it is remembered', async () => {
    const { access, clientId, refreshToken } = await served.connect(served.agents.research)
    await clock.advance(3_599_000)
    expect((await served.listTools(access)).status).toBe(200)
    await clock.advance(1_000)
    expect((await served.listTools(access)).status).toBe(401)
    expect((await served.refresh(clientId, refreshToken)).status).toBe(200)
  })

  test('M02 a token acts as the agent that was chosen, and a person of another account chooses none of ours', async () => {
    const one = await served.connect(served.agents.research)
    const other = await served.connect(served.agents.billing)
    expect((await served.listTools(one.access)).tools).toEqual(['research__search'])
    expect((await served.listTools(other.access)).tools).toEqual(['billing__pay'])
    const stranger = await signedIn(served.plane, 'account_other', 'owner')
    await expect(served.codeFor(served.agents.research, {}, stranger)).rejects.toThrow(/404.*agent-not-found/)
  })

  test('M02 a token asked for another address is not given', async () => {
    const { client_id } = (await served.register()).body
    const asked = { ...requestOf(client_id, 'v'), resource: 'https://elsewhere.example/mcp' }
    expect((await served.authorize(asked)).searchParams.get('error')).toBe('invalid_target')
    const code = await served.codeFor(served.agents.research, { resource: `${served.origin}/mcp` })
    expect(await errorOf(await served.exchange(code, { resource: 'https://elsewhere.example' }))).toEqual([
      400,
      'invalid_target',
    ])
    expect((await served.exchange(code, { resource: `${served.origin}/mcp` })).status).toBe(200)
  })
})

describe('M04', () => {
  test.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a sandboxed frame', { origin: 'null' }],
  ])('M04 %s can use no token', async (_, headers) => {
    const { access } = await served.connect(served.agents.research)
    expect((await served.listTools(access, headers)).status).toBe(403)
  })

  test('M04 a page of another site cannot register, exchange or revoke through a browser', async () => {
    for (const path of ['/oauth/register', '/oauth/token', '/oauth/revoke']) {
      const answer = await fetch(served.origin + path, {
        method: 'POST',
        headers: { origin: 'https://evil.example' },
        body: new URLSearchParams({ token: 'x' }),
      })
      expect([path, answer.status]).toEqual([path, 403])
    }
  })
})

describe('M11 ★', () => {
  test('M11 each client is consented to, each time: a cookie alone gives nothing', async () => {
    const { client_id } = (await served.register()).body
    const asked = requestOf(client_id, 'v')
    for (let time = 0; time < 2; time += 1) {
      const query = new URLSearchParams(asked)
      const answer = await fetch(`${served.origin}/oauth/authorize?${query}`, {
        redirect: 'manual',
        headers: { cookie: served.operator['cookie']! },
      })
      expect(answer.headers.get('location')).toMatch(/^\/connect\/q/)
      await served.consent(new URL(answer.headers.get('location')!, served.origin), served.agents.research)
    }
    expect((await served.authorize({ ...asked, prompt: 'none' })).searchParams.get('error')).toBe(
      'interaction_required',
    )
  })

  test('M11 an address of another site is no way out of ours: nobody is led there unasked', async () => {
    const { client_id } = (await served.register(['https://elsewhere.example/callback'])).body
    const { href } = await served.authorize({ client_id, response_type: 'nonsense' })
    expect(href.startsWith(`${served.origin}/connect/q`)).toBe(true)
    const request = href.split('/').at(-1)
    const { body } = await served.api('GET', `/api/authorization?request=${request}`)
    expect(body).toMatchObject({ client: { redirectHost: 'elsewhere.example', staysHere: false } })
    expect(new URL(body.refusedTo).searchParams.get('error')).toBe('unsupported_response_type')
  })

  test('M11 the person is told who asks and where the answer goes', async () => {
    const { client_id } = (await served.register(['https://app.example/cb'], { client_name: 'De\u202Esk\u0007' })).body
    const page = await served.authorize({ ...requestOf(client_id, 'v'), redirect_uri: 'https://app.example/cb' })
    const { body } = await served.api('GET', `/api/authorization?request=${page.pathname.split('/').at(-1)}`)
    expect(body).toEqual({ client: { name: 'Desk', redirectHost: 'app.example', staysHere: false } })
  })

  test('M11 another site cannot consent with the cookie of the person', async () => {
    const { client_id } = (await served.register()).body
    const page = await served.authorize(requestOf(client_id, 'v'))
    const decision = { kind: 'agent', agentId: served.agents.research }
    for (const headers of [
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
      {},
    ] as Record<string, string>[]) {
      const answer = await fetch(`${served.origin}/api/authorization`, {
        method: 'POST',
        headers: { cookie: served.operator['cookie']!, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ request: page.pathname.split('/').at(-1), decision }),
      })
      expect(answer.status).toBe(403)
    }
  })

  test('M11 who may only look cannot consent', async () => {
    const viewer = await signedIn(served.plane, 'account_home', 'viewer')
    await expect(served.codeFor(served.agents.research, {}, viewer)).rejects.toThrow(/403.*forbidden/)
  })

  test('M11 the answer goes to no address but a registered one', async () => {
    const present = await browserOf(served.plane, served.operator.userId)
    const { client_id } = (await served.register()).body
    for (const redirect_uri of [
      'https://evil.example/callback',
      `${REDIRECT}/more`,
      `${REDIRECT}?code=x`,
      'http://127.0.0.1:7000/callback/../other',
      'http://127.0.0.1:7000@evil.example/callback',
      'http://localhost:7000/callback',
      'javascript:alert(1)//127.0.0.1/callback',
    ]) {
      const page = await served.authorize({ ...requestOf(client_id, 'v'), redirect_uri })
      expect([redirect_uri, page.host, page.pathname.slice(0, 10)]).toEqual([
        redirect_uri,
        new URL(served.origin).host,
        '/connect/q',
      ])
      const request = page.pathname.split('/').at(-1)
      for (const decision of [{ kind: 'agent', agentId: served.agents.research }, { kind: 'refuse' }]) {
        const asked = { request, decision }
        const { status, body } = await served.api('POST', '/api/authorization', asked, present)
        expect([redirect_uri, status, body.code]).toEqual([redirect_uri, 400, 'authorization-refused'])
      }
    }
  })

  test('M11 a native client listens on whatever port is free, and need not say that it is one', async () => {
    const { status, body } = await served.register(['http://127.0.0.1/cb', 'cursor://mcp/cb'])
    expect(status).toBe(201)
    for (const redirect_uri of ['http://127.0.0.1:51234/cb', 'cursor://mcp/cb']) {
      const { answer } = await served.codeFor(served.agents.research, { client_id: body.client_id, redirect_uri })
      expect(answer.href.startsWith(`${redirect_uri}?code=code_`)).toBe(true)
    }
  })

  test.each(['http://192.168.1.5/cb', 'javascript:alert(1)', 'data:text/html,x', 'https://a.example/#x', 'no address'])(
    'M11 nobody registers %s',
    async (uri) => {
      const { status, body } = await served.register([REDIRECT, uri])
      expect([status, body['error']]).toEqual([400, 'invalid_redirect_uri'])
    },
  )

  test.each([
    ['no challenge', { code_challenge: '' }, 'invalid_request'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no method, which means plain', { code_challenge_method: '' }, 'invalid_request'],
    ['an implicit token', { response_type: 'token' }, 'unsupported_response_type'],
    ['an answer in the fragment', { response_mode: 'fragment' }, 'invalid_request'],
  ])('M11 PKCE and the code are the only way: %s is refused', async (_, part, error) => {
    const { client_id } = (await served.register()).body
    const answer = await served.authorize({ ...requestOf(client_id, 'v'), ...part })
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({ error, state: 'a state', iss: served.origin })
    expect(answer.href.startsWith(REDIRECT)).toBe(true)
  })

  test('M11 without the verifier, or with another, a code gives nothing', async () => {
    const asked = await served.codeFor(served.agents.research)
    const without = { grant_type: 'authorization_code', client_id: asked.clientId, code: asked.code }
    expect(await errorOf(await served.form('/oauth/token', without))).toEqual([400, 'invalid_request'])
    expect(await errorOf(await served.exchange({ ...asked, verifier: 'x'.repeat(43) }))).toEqual([400, 'invalid_grant'])
    expect((await served.exchange(asked)).status).toBe(200)
  })

  test('M11 a code of one client is of no use to another, nor for another address', async () => {
    const asked = await served.codeFor(served.agents.research)
    const other = (await served.register()).body.client_id
    expect(await errorOf(await served.exchange({ ...asked, clientId: other }))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(await served.exchange(asked, { redirect_uri: 'http://127.0.0.1:9/callback' }))).toEqual([
      400,
      'invalid_grant',
    ])
  })

  test('M11 a code that comes twice ends what it gave', async () => {
    const asked = await served.codeFor(served.agents.research)
    const tokens = (await (await served.exchange(asked)).json()) as { access_token: string; refresh_token: string }
    expect((await served.listTools(tokens.access_token)).status).toBe(200)
    expect(await errorOf(await served.exchange(asked))).toEqual([400, 'invalid_grant'])
    expect((await served.listTools(tokens.access_token)).status).toBe(401)
    expect(await errorOf(await served.refresh(asked.clientId, tokens.refresh_token))).toEqual([400, 'invalid_grant'])
  })

  test('M11 of a code that is sent ten times at once, no tokens stay', async () => {
    const asked = await served.codeFor(served.agents.research)
    const answers = await Promise.all(Array.from({ length: 10 }, () => served.exchange(asked)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const { access_token } = (await answers.find(({ status }) => status === 200)!.json()) as { access_token: string }
    expect((await served.listTools(access_token)).status).toBe(401)
  })

  test('M11 a code is good for a minute', async () => {
    const asked = await served.codeFor(served.agents.research)
    await clock.advance(60_000)
    expect(await errorOf(await served.exchange(asked))).toEqual([400, 'invalid_grant'])
  })

  test('M11 state, client and address are bound to one consent: another request is another', async () => {
    const first = await served.codeFor(served.agents.research, { state: 'one' })
    const second = await served.codeFor(served.agents.billing, { state: 'two', client_id: first.clientId })
    expect([first.answer, second.answer].map(({ searchParams }) => searchParams.get('state'))).toEqual(['one', 'two'])
    // An answer that was put in place of another does not fit the verifier of the request that waits for it.
    expect(await errorOf(await served.exchange({ ...first, code: second.code }))).toEqual([400, 'invalid_grant'])
    const twice = `${new URLSearchParams(requestOf(first.clientId, 'v'))}&state=again`
    const answer = await fetch(`${served.origin}/oauth/authorize?${twice}`, { redirect: 'manual' })
    expect(answer.headers.get('location')).toContain('error=invalid_request')
  })

  test('M11 the answer names its issuer, also when it is a refusal', async () => {
    const { answer } = await served.codeFor(served.agents.research)
    expect(answer.searchParams.get('iss')).toBe(served.origin)
    const { client_id } = (await served.register()).body
    const page = await served.authorize(requestOf(client_id, 'v'))
    const request = page.pathname.split('/').at(-1)
    const { body } = await served.api('POST', '/api/authorization', { request, decision: { kind: 'refuse' } })
    expect(Object.fromEntries(new URL(body.redirectTo).searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'a state',
      iss: served.origin,
    })
  })

  test('M11 what is no request of a known client goes nowhere', async () => {
    for (const query of ['', 'client_id=client_0000000000000000', 'client_id=%00', 'client_id=a&client_id=b']) {
      const request = wordOfQuery(query)
      const { status, body } = await served.api('GET', `/api/authorization?request=${request}`)
      expect([query, status, body.code]).toEqual([query, 400, 'authorization-refused'])
    }
    for (const request of ['x', 'q%', 'q!!'])
      expect((await served.api('GET', `/api/authorization?request=${encodeURIComponent(request)}`)).status).toBe(400)
  })
})

test.each([
  ['no form', '{}', 'application/json', 'invalid_request'],
  ['nothing', '', 'application/x-www-form-urlencoded', 'invalid_request'],
  ['a parameter twice', 'grant_type=a&grant_type=b', 'application/x-www-form-urlencoded', 'invalid_request'],
  ['U+0000', 'grant_type=refresh_token&client_id=%00', 'application/x-www-form-urlencoded', 'invalid_request'],
  ['another grant', 'grant_type=password&client_id=x', 'application/x-www-form-urlencoded', 'unsupported_grant_type'],
  ['too much', `code=${'x'.repeat(20_000)}`, 'application/x-www-form-urlencoded', 'invalid_request'],
])('the token endpoint answers %s in OAuth’s own form', async (_, body, type, error) => {
  const answer = await fetch(`${served.origin}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  })
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(await errorOf(answer)).toEqual([400, error])
})

test('registrations are limited, and bad ones are no failure of ours', async () => {
  for (const body of ['', '[]', '{"redirect_uris":[]}', '{"redirect_uris":"x"}', '{"redirect_uris":["\\u0000"]}']) {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${served.origin}/oauth/register`, { method: 'POST', headers, body })
    expect([body, answer.status]).toEqual([body, 400])
  }
  await clock.advance(60_000)
  const answers = await Promise.all(Array.from({ length: 40 }, () => served.register()))
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(30)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(10)
  await clock.advance(60_000)
})
