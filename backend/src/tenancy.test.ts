import { OPERATIONS, type UserOperation } from '@agentopia/api'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type As,
  furnish,
  NOBODY,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
} from './control-plane.testing.ts'
import { BODIES, nowhere, pathOf } from './every-operation.testing.ts'
import { activities, agents, calls, instances, toolboxes } from './store/schema/index.ts'

// Two accounts with one of everything, in one control plane: neither reads, changes or names what is the other's.

const CANARY = 'canary-of-the-other-account'
const operations = OPERATIONS as readonly UserOperation[]

let plane: TestControlPlane
let me: As & { userId: string }
let other: As & { userId: string }
let mine: Awaited<ReturnType<typeof furnish>>
let theirs: Awaited<ReturnType<typeof furnish>>

beforeAll(async () => {
  plane = await openTestControlPlane()
  me = await signedIn(plane, 'account_mine', 'owner')
  other = await signedIn(plane, 'account_theirs', 'owner')
  mine = await furnish(plane.store, 'account_mine', me.userId)
  theirs = await furnish(plane.store, 'account_theirs', other.userId)
  const ofTheirs = sql`account_id = 'account_theirs'`
  await plane.store.system(async (tx) => {
    await tx.update(toolboxes).set({ name: CANARY }).where(ofTheirs)
    await tx.update(agents).set({ name: CANARY, description: CANARY }).where(ofTheirs)
    const capabilities = [{ name: CANARY, description: CANARY, inputSchema: { type: 'object' }, digest: CANARY }]
    await tx.update(instances).set({ name: CANARY, capabilities }).where(ofTheirs)
    await tx.insert(activities).values({
      id: CANARY,
      accountId: 'account_theirs',
      actor: CANARY,
      action: 'agent.created',
      subject: CANARY,
      message: CANARY,
    })
    await tx.insert(calls).values({
      id: CANARY,
      accountId: 'account_theirs',
      agentId: theirs.ids.agentId,
      agentName: CANARY,
      capability: CANARY,
      outcome: 'ok',
      startedAt: new Date(),
      durationMs: 1,
      argumentDigest: CANARY,
      argumentBytes: 1,
    })
  })
})
afterAll(() => plane.close())

async function ask(method: string, path: string, as: As, body?: unknown): Promise<{ status: number; text: string }> {
  const { userId: _, ...headers } = as as As & { userId?: string }
  const answer =
    body instanceof Uint8Array
      ? await plane.request(method, path, headers, { body, headers: { 'content-type': 'application/octet-stream' } })
      : body === undefined
        ? await plane.request(method, path, headers)
        : await plane.send(method, path, headers, body)
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    await answer.body?.cancel()
    return { status: answer.status, text: '' }
  }
  return { status: answer.status, text: await answer.text() }
}

/** Every row of the other account, in every table that has accounts, as it stands. */
async function rowsOfTheirs(): Promise<string> {
  return plane.store.system(async (tx) => {
    const tables = await tx.execute<{ name: string }>(
      sql`select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'account_id' order by 1`,
    )
    const found: string[] = []
    for (const { name } of tables.rows) {
      const { rows } = await tx.execute(
        sql`select to_jsonb(t)::text as row from ${sql.identifier(name)} t where account_id = 'account_theirs' order by 1`,
      )
      found.push(`${name}: ${JSON.stringify(rows)}`)
    }
    return found.join('\n')
  })
}

const idsIn = (op: UserOperation): string[] => [...op.path.matchAll(/:(\w+)/g)].map(([, name]) => name!)
/** As the ids are called in a furnished account. */
const keyOf = (op: UserOperation, name: string): string =>
  name === 'tokenId' && op.path.includes('/agents/') ? 'agentTokenId' : name

/** What everybody may call the same, or a provider numbers: no id of one account. */
const SHARED = ['toolId', 'registry', 'offset', 'snapshotId']
const foreignIn = (op: UserOperation): string[] => idsIn(op).filter((name) => !SHARED.includes(name))
const withIds = operations.filter((op) => foreignIn(op).length > 0)

describe.each(withIds)('$id', (op) => {
  test('T02 with one id of another account among its own it finds nothing, and changes nothing there', async () => {
    const before = await rowsOfTheirs()
    for (const name of foreignIn(op)) {
      const key = keyOf(op, name)
      const ids = { ...nowhere, ...mine.ids, [key]: theirs.ids[key as keyof typeof theirs.ids] }
      const body = op.upload ? new Uint8Array(1) : op.body ? (BODIES[op.id] ?? {}) : undefined
      const { status, text } = await ask(op.method, pathOf(op, ids), me, body)
      expect([name, status, text]).toEqual([name, 404, expect.not.stringContaining(CANARY)])
    }
    expect(await rowsOfTheirs()).toBe(before)
  })
})

test('T02 an id of another account in a body is as unknown as one that nobody has', async () => {
  const before = await rowsOfTheirs()
  const ofAgent = `/api/agents/${mine.ids.agentId}`
  const put = async (instanceId: string) => ask('POST', `${ofAgent}/toolbelt`, me, { instanceId })
  const agreed = async (agentId: string) =>
    ask('POST', '/api/authorization', me, { request: 'q', decision: { kind: 'agent', agentId } })
  for (const [send, id, none] of [
    [put, theirs.ids.instanceId, nowhere['instanceId']!],
    [agreed, theirs.ids.agentId, nowhere['agentId']!],
  ] as const) {
    const strip = ({ status, text }: { status: number; text: string }, sent: string) => [
      status,
      text.replaceAll(sent, 'ID').replace(/"instance":"[^"]*"/, ''),
    ]
    expect(strip(await send(id), id)).toEqual(strip(await send(none), none))
  }
  expect(await rowsOfTheirs()).toBe(before)
})

test('T02 an id of another account in a query finds nothing', async () => {
  for (const query of [
    `agentId=${theirs.ids.agentId}`,
    `instanceId=${theirs.ids.instanceId}`,
    `toolboxId=${theirs.ids.toolboxId}`,
    `search=${CANARY}`,
  ])
    for (const path of ['/api/calls', '/api/calls/export', '/api/activity', '/api/agents', '/api/toolboxes']) {
      const { text } = await ask('GET', `${path}?${query}`, me)
      expect([path, query, text]).toEqual([path, query, expect.not.stringMatching(new RegExp(`${CANARY}"`))])
    }
})

describe.each(operations.filter(({ body }) => body !== undefined))('$id', (op) => {
  test.each([
    'tenant_id',
    'accountId',
    'account_id',
    'userId',
    'generation',
    'leaseEpoch',
    'lease_owner',
    'status',
    'createdAt',
  ])('T03 a field that is not in the contract is refused by its name, and nothing happens: %s', async (field) => {
    const sent = { ...((BODIES[op.id] ?? {}) as object), [field]: 'account_theirs' }
    const { status, text } = await ask(op.method, pathOf(op, nowhere), me, sent)
    expect([status, text]).toEqual([400, expect.stringContaining(`body.${field}: is not known here`)])
  })
})

test('T03 a role is taken where it is meant, and not beyond the own', async () => {
  const admin = await signedIn(plane, 'account_mine', 'admin')
  for (const [method, path, body] of [
    ['POST', '/api/tokens', { name: 'x', role: 'owner' }],
    ['POST', '/api/invitations', { email: 'x@example.com', role: 'owner' }],
    ['PATCH', `/api/members/${me.userId}`, { role: 'viewer' }],
  ] as const) {
    const { status } = await ask(method, path, admin, body)
    expect([path, [400, 403].includes(status)]).toEqual([path, true])
  }
})

test.each(operations.filter(({ method }) => method === 'GET'))(
  'T04 $id shows nothing of another account',
  async (op) => {
    for (const ids of [mine.ids, theirs.ids]) {
      const { text } = await ask('GET', pathOf(op, { ...nowhere, ...ids }), me)
      expect(text).not.toContain(CANARY)
      expect(text).not.toContain('account_theirs')
      expect(text).not.toContain(other.userId)
    }
  },
)

test('the other account itself sees what the others must not', async () => {
  for (const path of [
    '/api/agents',
    '/api/calls',
    '/api/activity',
    '/api/toolboxes',
    `/api/agents/${theirs.ids.agentId}/toolbelt`,
  ])
    expect([path, (await ask('GET', path, other)).text]).toEqual([path, expect.stringContaining(CANARY)])
})

test('T04 who follows changes hears of the own account alone', async () => {
  const { userId: _, ...headers } = me
  const stream = (await plane.request('GET', '/api/events', headers)).body!.getReader()
  const text = new TextDecoder()
  let heard = ''
  await ask('PATCH', `/api/agents/${theirs.ids.agentId}`, other, { description: `${CANARY} again` })
  await ask('PATCH', `/api/agents/${mine.ids.agentId}`, me, { description: 'the last of all' })
  while (!heard.includes(mine.ids.agentId)) heard += text.decode((await stream.read()).value, { stream: true })
  await stream.cancel()
  expect(heard).not.toContain(theirs.ids.agentId)
})

test('T13 a token in an address opens nothing, whatever it is called', async () => {
  const made = await ask('POST', '/api/tokens', me, { name: 'ci', role: 'viewer' })
  const { secret } = JSON.parse(made.text) as { secret: string }
  expect((await ask('GET', '/api/me', { authorization: `Bearer ${secret}` })).status).toBe(200)
  for (const name of ['token', 'access_token', 'api_key', 'apikey', 'key', 'authorization', 'jwt']) {
    expect([name, (await ask('GET', `/api/me?${name}=${secret}`, NOBODY)).status]).toEqual([name, 401])
    expect([name, (await ask('GET', `/api/events?${name}=${secret}`, NOBODY)).status]).toEqual([name, 401])
  }
})
