import { OPERATIONS, type Role, type UserOperation } from '@agentopia/api'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type As,
  browserOf,
  furnish,
  jsonOf,
  NOBODY,
  ORIGIN,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
} from './control-plane.testing.ts'
import { BODIES, nowhere, pathOf } from './every-operation.testing.ts'
import { systemClock } from './reconcile/clock.ts'

// Every operation against every kind of caller: generated from the list of operations, so that none is forgotten.

const ROLES = ['viewer', 'operator', 'admin', 'owner'] as const
type Who = 'nobody' | Role | 'agent'
const CALLERS = ['nobody', ...ROLES, 'agent'] as const

let plane: TestControlPlane
let home: Awaited<ReturnType<typeof furnish>>
let people: Record<Role, Awaited<ReturnType<typeof signedIn>>>
let stranger: As

/** Each operation is tried a minute later, as the limits count it: what fails on purpose is not to lock out the next. */
let minutes = 0
const clock = { ...systemClock, steady: () => systemClock.steady() + minutes * 60_000 }
beforeEach(() => {
  minutes += 1
})

beforeAll(async () => {
  plane = await openTestControlPlane(clock)
  const entries: [Role, Awaited<ReturnType<typeof signedIn>>][] = []
  for (const role of ROLES) entries.push([role, await signedIn(plane, 'account_home', role)])
  people = Object.fromEntries(entries) as typeof people
  home = await furnish(plane.store, 'account_home', people.owner.userId)
  stranger = await signedIn(plane, 'account_other', 'owner')
})
afterAll(() => plane.close())

async function ask(
  op: UserOperation,
  as: As,
  ids: Readonly<Record<string, string>> = nowhere,
): Promise<{ status: number; body: string }> {
  const { userId: _, ...headers } = as as As & { userId?: string }
  const path = pathOf(op, { ...nowhere, ...ids })
  const bytes = { body: new Uint8Array(1), headers: { 'content-type': 'application/octet-stream' } }
  const answer = op.body
    ? await plane.send(op.method, path, headers, BODIES[op.id] ?? {})
    : await plane.request(op.method, path, headers, op.upload ? bytes : undefined)
  if (op.event && answer.status === 200) {
    await answer.body?.cancel()
    return { status: 200, body: '' }
  }
  return { status: answer.status, body: await answer.text() }
}

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2, owner: 3 }

function expected(auth: UserOperation['auth'], who: Who): 'in' | 401 | 403 {
  if (auth === 'none') return 'in'
  if (who === 'nobody') return 401
  if (who === 'agent') return auth === 'agent' ? 'in' : 403
  return RANK[who] >= RANK[auth === 'agent' ? 'operator' : auth] ? 'in' : 403
}

async function headersOf(who: Who): Promise<As> {
  if (who === 'nobody') return NOBODY
  if (who === 'agent') return home.agent
  return browserOf(plane, people[who].userId) // a session of its own: one of the operations ends it
}

describe.each(OPERATIONS.map((op) => op as UserOperation))('$id', (op) => {
  test.each(CALLERS)(
    'T01 of every kind of caller exactly those are let in whom the contract lets in: %s',
    async (who) => {
      const { status, body } = await ask(op, await headersOf(who))
      const wanted = expected(op.auth, who)
      const code = status >= 400 ? (JSON.parse(body) as { code: string }).code : ''
      if (wanted === 401) expect([status, code]).toEqual([401, 'unauthenticated'])
      else if (wanted === 403) expect([status, code]).toEqual([403, 'forbidden'])
      else {
        expect(['unauthenticated', 'forbidden']).not.toContain(code)
        expect(status).toBeLessThan(500)
      }
    },
  )

  test('T02 the owner of another account finds nothing by its ids', async () => {
    const { status, body } = await ask(op, stranger, home.ids)
    if (Object.keys(home.ids).some((name) => op.path.includes(`:${name}`))) expect([status, body]).toEqual([404, body])
    for (const id of Object.values(home.ids)) if (status < 400) expect(body).not.toContain(id)
    if (op.id === 'signOut') stranger = await signedIn(plane, 'account_other', 'owner')
  })

  if (op.body)
    test('T12 bodies that are no JSON, too long, too deep or of nonsense are refused, never a failure of ours', async () => {
      const owner = await headersOf('owner')
      for (const [name, body] of Object.entries(badBodies())) {
        const answer = await plane.send(op.method, pathOf(op, home.ids), owner, body)
        expect([name, answer.status < 500, answer.headers.get('content-type')]).toEqual([
          name,
          true,
          answer.status < 400 ? expect.anything() : 'application/problem+json',
        ])
      }
      const asText = await plane.request(op.method, pathOf(op, home.ids), owner, { body: '{}' })
      expect(asText.status).toBe(400)
    })
})

const changing = OPERATIONS.filter(({ method }) => method !== 'GET') as readonly UserOperation[]

describe.each(changing)('$id from elsewhere', (op) => {
  test.each([
    ['a page of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a page of another site in an old browser', { origin: 'https://evil.example' }],
    ['a page on another port of this machine', { origin: 'http://localhost:4000', 'sec-fetch-site': 'same-site' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['who does not say from where', {}],
  ] as [string, Record<string, string>][])('T05 the cookie is of no use to a page elsewhere: %s', async (_, source) => {
    const { cookie } = people.owner as As
    const answer = await plane.request(op.method, pathOf(op, nowhere), { cookie: cookie!, ...source })
    expect([answer.status, (await jsonOf(answer)).code]).toEqual([403, 'cross-site'])
  })
})

test('a name that is not ours reaches nothing, whatever it carries', async () => {
  for (const path of ['/api/info', '/api/me', '/', '/toolboxes'])
    expect((await plane.request('GET', path, { ...people.owner, host: 'evil.example:3000' })).status).toBe(403)
})

test('every answer names its request, forbids framing and is not kept', async () => {
  for (const path of ['/api/info', '/api/me', '/api/nowhere']) {
    const { headers } = await plane.request('GET', path)
    expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/)
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  }
})

test('what is not in the contract is not there', async () => {
  for (const [method, path] of [
    ['GET', '/api'],
    ['GET', '/api/nowhere'],
    ['PUT', '/api/agents'],
    ['OPTIONS', '/api/agents'],
    ['POST', '/anything'],
    ['GET', '/dtma/nowhere'],
  ] as const) {
    const answer = await plane.request(method, path, { cookie: (people.owner as As)['cookie']!, origin: ORIGIN })
    expect([method, path, answer.status]).toEqual([method, path, 404])
  }
})

/** What no client of ours would send. */
function badBodies(): Record<string, string> {
  const nul = 'a\\u0000b'
  const half = '\\ud800'
  const fields = 'name email password token newPassword toolId instanceId capability description cursor role'.split(' ')
  const filled = (value: string) => `{${fields.map((field) => `"${field}":${value}`).join(',')}}`
  return {
    nothing: '',
    'no JSON': '{"name":',
    null: 'null',
    list: '[]',
    text: '"text"',
    number: '7',
    'unknown fields': '{"surprise":1}',
    prototype: '{"__proto__":{"role":"owner"},"constructor":{}}',
    'texts that no database holds': filled(`"${nul}"`),
    'half characters': filled(`"${half}"`),
    numbers: filled('7'),
    nulls: filled('null'),
    lists: filled('[]'),
    'long texts': filled(`"${'x'.repeat(20_000)}"`),
    'a config of nonsense': `{"config":{"${nul}":"${half}"},"arguments":{"a":"${nul}"},"allow":["${nul}"]}`,
    'depth without end': '['.repeat(200_000),
    'depth with an end': `{"arguments":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    'more than the limit': `{"name":"${'x'.repeat(1_100_000)}"}`,
  }
}
