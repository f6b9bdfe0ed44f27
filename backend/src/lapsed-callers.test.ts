import { OPERATIONS, type Role, type UserOperation } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { insertApiToken } from './accounts/api-token.store.ts'
import { openServedControlPlane, type ServedControlPlane } from './accounts/oauth/oauth.testing.ts'
import { type As, browserOf, furnish, jsonOf, ORIGIN, signedIn } from './control-plane.testing.ts'
import { BODIES, nowhere, pathOf } from './every-operation.testing.ts'
import { OPERATOR_PATH } from './operator/operator.endpoint.ts'
import { systemClock } from './reconcile/clock.ts'
import { agentTokens, apiTokens, sessions } from './store/schema/index.ts'

// Whoever was let in once and is no more, or holds what opens something else, against every operation and every other door: generated
// from the list of operations, so that none is forgotten.

const operations = OPERATIONS as readonly UserOperation[]
const ACCOUNT = 'account_home'
const LONG_AGO = new Date(Date.now() - 30 * 24 * 3_600_000)

/** Each operation is tried a minute later, as the limits count it. */
let minutes = 0
const clock = { ...systemClock, steady: () => systemClock.steady() + minutes * 60_000 }
beforeEach(() => {
  minutes += 1
})

let served: ServedControlPlane
let home: Awaited<ReturnType<typeof furnish>>
let owner: As & { userId: string }
/** What each of them shows; all of it was good. */
const lapsed: Record<string, As> = {}
/** Secrets that are good, each for something else. */
const misplaced: Record<string, As> = {}
/** Let in, but as less than before. */
const lowered: Record<string, As> = {}
/** Agents, by tokens that are good. */
const strangers: Record<string, As> = {}
/** Of an agent, by a token that is good at the door of agents alone. */
let client: As

const bearer = (secret: string): As => ({ authorization: `Bearer ${secret}` })
const request = (method: string, path: string, as: As, init?: RequestInit) =>
  served.plane.request(method, path, as, init)
const send = async (method: string, path: string, body?: unknown): Promise<Response> => {
  const { userId: _, ...as } = owner
  const answer = await (body === undefined
    ? request(method, path, as as As)
    : served.plane.send(method, path, as as As, body))
  if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
  return answer
}

/** Was good before it was taken away: else nothing is shown by its refusal. */
async function wasGood(as: As, path = '/api/me'): Promise<As> {
  expect((await request('GET', path, as)).status).toBe(200)
  return as
}

async function withAgentToken(agentId: string) {
  const made = await jsonOf(await send('POST', `/api/agents/${agentId}/tokens`, { name: 'x' }))
  expect((await served.listTools(made.secret)).status).toBe(200)
  return made
}

async function member(role: Role) {
  const { userId, ...browser } = await signedIn(served.plane, ACCOUNT, role)
  const of = { accountId: ACCOUNT, userId, name: role, role: role === 'owner' ? ('admin' as const) : role }
  const { secret } = await served.store.system((tx) => insertApiToken(tx, { ...of, expiresInDays: undefined }))
  return { userId, browser: await wasGood(browser as As), token: await wasGood(bearer(secret)) }
}

beforeAll(async () => {
  served = await openServedControlPlane(clock)
  const { plane, store, agents: tools } = served
  owner = await signedIn(plane, ACCOUNT, 'owner')
  home = await furnish(store, ACCOUNT, owner.userId)
  const sessionOf = async () => {
    const before = new Set((await store.system((tx) => tx.select().from(sessions))).map(({ id }) => id))
    const as = await browserOf(plane, owner.userId)
    const all = await store.system((tx) => tx.select().from(sessions))
    return { as: await wasGood(as), id: all.find(({ id }) => !before.has(id))!.id }
  }

  const token = await jsonOf(await send('POST', '/api/tokens', { name: 'ci', role: 'admin' }))
  lapsed['an API token that was revoked'] = await wasGood(bearer(token.secret))
  await send('DELETE', `/api/tokens/${token.token.id}`)
  const late = await jsonOf(await send('POST', '/api/tokens', { name: 'late', role: 'admin', expiresInDays: 1 }))
  await store.system((tx) => tx.update(apiTokens).set({ expiresAt: LONG_AGO }).where(eq(apiTokens.id, late.token.id)))
  lapsed['an API token that expired'] = bearer(late.secret)

  lapsed['a session that was ended'] = (await sessionOf()).as
  expect((await request('DELETE', '/api/session', lapsed['a session that was ended']!)).status).toBe(204)
  for (const [who, change] of [
    ['a session that expired', { expiresAt: LONG_AGO }],
    ['a session that nobody used for days', { updatedAt: LONG_AGO }],
  ] as const) {
    const { as, id } = await sessionOf()
    await store.system((tx) => tx.update(sessions).set(change).where(eq(sessions.id, id)))
    lapsed[who] = as
  }

  const gone = await member('admin')
  await send('DELETE', `/api/members/${gone.userId}`)
  lapsed['the session of a person who was removed'] = gone.browser
  lapsed['the API token of a person who was removed'] = gone.token

  const made = await withAgentToken(tools.research)
  await send('DELETE', `/api/agents/${tools.research}/tokens/${made.token.id}`)
  lapsed['a token of an agent that was revoked'] = bearer(made.secret)
  const old = await withAgentToken(tools.research)
  await store.system((tx) =>
    tx.update(agentTokens).set({ expiresAt: LONG_AGO }).where(eq(agentTokens.id, old.token.id)),
  )
  lapsed['a token of an agent that expired'] = bearer(old.secret)
  const { id: doomed } = (await (await send('POST', '/api/agents', { name: 'doomed' })).json()) as { id: string }
  const last = await withAgentToken(doomed)
  await send('DELETE', `/api/agents/${doomed}`)
  lapsed['a token of an agent that was removed'] = bearer(last.secret)

  const left = await served.connect(tools.research)
  expect((await served.listTools(left.access)).status).toBe(200)
  const clients = await jsonOf(await send('GET', `/api/agents/${tools.research}/clients`))
  await send('DELETE', `/api/agents/${tools.research}/clients/${clients.items[0]!.id}`)
  lapsed['a client that was disconnected'] = bearer(left.access)
  lapsed['its refresh token'] = bearer(left.refreshToken)

  const connected = await served.connect(tools.billing)
  misplaced['a refresh token of a client'] = bearer(connected.refreshToken)
  misplaced['a code of a client'] = bearer((await served.codeFor(tools.billing)).code)
  misplaced['a sign-in link'] = bearer(await plane.link(owner.userId))
  const session = decodeURIComponent(owner['cookie']!.split('=')[1]!)
  misplaced['what a session cookie holds'] = bearer(session)
  misplaced['what the database holds of a session'] = { cookie: owner['cookie']!.split('.')[0]!, origin: ORIGIN }
  misplaced['a password'] = { authorization: `Basic ${Buffer.from('owner:password').toString('base64')}` }
  misplaced['a wrong token beside a good session'] = {
    ...(({ userId: _, ...as }) => as)(owner),
    ...bearer('tbx_wrong'),
  } as As

  const elsewhere = await signedIn(plane, 'account_other', 'owner')
  strangers['an agent of another account'] = (await furnish(store, 'account_other', elsewhere.userId)).agent
  strangers['another agent'] = home.agent
  client = bearer(connected.access)

  const demoted = await member('owner')
  await send('PATCH', `/api/members/${demoted.userId}`, { role: 'viewer' })
  lowered['the session of who was made a viewer'] = demoted.browser
  lowered['the API token, for an administrator, of who was made a viewer'] = demoted.token
  const viewing = await jsonOf(await send('POST', '/api/tokens', { name: 'reads', role: 'viewer' }))
  lowered['an API token for viewing, of an owner'] = await wasGood(bearer(viewing.secret))
})
afterAll(() => served?.close())

async function ask(op: UserOperation, as: As): Promise<readonly [number, string]> {
  const path = pathOf(op, { ...nowhere, ...home.ids, agentId: served.agents.research })
  const bytes = { body: new Uint8Array(1), headers: { 'content-type': 'application/octet-stream' } }
  const answer = op.body
    ? await served.plane.send(op.method, path, as, BODIES[op.id] ?? {})
    : await request(op.method, path, as, op.upload ? bytes : undefined)
  if (answer.status < 400) {
    await answer.body?.cancel()
    return [answer.status, '']
  }
  return [answer.status, (await jsonOf(answer)).code]
}

const REFUSED = [401, 'unauthenticated']
/** Agents act as themselves alone. */
const AS_ITSELF = { executeCapability: [404, 'agent-not-found'] } as Readonly<Record<string, readonly [number, string]>>
const guarded = operations.filter(({ auth }) => auth !== 'none')

describe.each(guarded)('$id', (op) => {
  test('T01 refuses everybody who is let in no more, and every secret that opens something else', async () => {
    for (const [who, as] of Object.entries({ ...lapsed, ...misplaced, 'a client': client }))
      expect([who, await ask(op, as)]).toEqual([who, REFUSED])
  })

  test('T01 an agent of another account, or another agent of this one, finds nothing, whatever it shows', async () => {
    for (const [who, as] of Object.entries(strangers))
      expect([who, await ask(op, as)]).toEqual([who, AS_ITSELF[op.id] ?? [403, 'forbidden']])
  })

  if (op.auth !== 'viewer')
    test('T01 refuses who was made a viewer, and a token that only views', async () => {
      for (const [who, as] of Object.entries(lowered))
        expect([who, await ask(op, as)]).toEqual([who, [403, 'forbidden']])
    })
})

test('T01 what changes something is for more than viewers, but for what is about the caller alone, or only looks', () => {
  const open = guarded.filter(({ method, auth }) => method !== 'GET' && auth === 'viewer')
  const ofOthers = open.filter(({ path }) => !/^\/api\/(?:me|session|tokens)\b/.test(path))
  expect(ofOthers.map(({ id }) => id)).toEqual(['refreshToolboxStatus'])
})

test('T01 nothing came of all that', async () => {
  const { userId: _, ...as } = owner
  for (const path of ['/api/me', `/api/agents/${served.agents.research}`, `/api/toolboxes/${home.ids.toolboxId}`])
    expect([path, (await request('GET', path, as as As)).status]).toEqual([path, 200])
})

test('T01 M18 at the door of agents each is offered its own tools, and those of nobody else', async () => {
  const offered: (readonly string[] | undefined)[] = []
  for (const { authorization } of [...Object.values(strangers), client])
    offered.push((await served.listTools(authorization!.slice('Bearer '.length))).tools)
  expect(offered).toEqual([[], [], ['billing__pay']])
})

test('T01 M02 no other door opens for them: not that of agents, nor of operators, nor of toolboxes', async () => {
  for (const [who, { cookie, authorization }] of Object.entries({ ...lapsed, ...misplaced }))
    for (const path of ['/mcp', OPERATOR_PATH, '/dtma/heartbeat', '/dtma/tunnel']) {
      const answer = await fetch(served.origin + path, {
        method: path === '/dtma/tunnel' ? 'GET' : 'POST',
        headers: {
          'content-type': 'application/json',
          origin: served.origin,
          ...(cookie === undefined ? {} : { cookie }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(path === '/dtma/tunnel' ? {} : { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) }),
      })
      expect([who, path, answer.status < 400, await answer.text()]).toEqual([
        who,
        path,
        false,
        expect.not.stringContaining('"tools"'),
      ])
    }
})
