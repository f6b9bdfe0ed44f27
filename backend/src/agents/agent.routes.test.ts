import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { agentTokens, instances, toolboxes } from '../store/schema/index.ts'

let plane: TestControlPlane
let operator: As
let admin: As
let stranger: As
const toolboxId = newId('toolbox')
const instanceId = newId('inst')
const twinToolboxId = newId('toolbox')
const twinId = newId('inst')

const capability = (name: string, annotations = {}) => ({
  name,
  description: `${name}\u200b!`,
  inputSchema: {},
  annotations,
  digest: '',
})

beforeAll(async () => {
  plane = await openTestControlPlane()
  operator = await signedIn(plane, 'account_a', 'operator')
  admin = await signedIn(plane, 'account_a', 'admin')
  stranger = await signedIn(plane, 'account_b', 'owner')
  const of = { accountId: 'account_a' }
  await plane.store.system(async (tx) => {
    for (const [id, name] of [
      [toolboxId, 'alpha'],
      [twinToolboxId, 'beta'],
    ] as const)
      await tx.insert(toolboxes).values({ ...of, id, name, provider: 'join', status: 'active' })
    for (const [id, on] of [
      [instanceId, toolboxId],
      [twinId, twinToolboxId],
    ] as const)
      await tx.insert(instances).values({
        ...of,
        id,
        toolboxId: on,
        toolId: 'everything',
        name: 'demo',
        desired: 'running',
        config: {},
        capabilities: [capability('echo', { readOnlyHint: true }), capability('drop_all', { destructiveHint: true })],
      })
  })
})
afterAll(() => plane.close())

async function ask(method: string, path: string, body?: unknown, as: As = operator) {
  const answer = body === undefined ? await plane.request(method, path, as) : await plane.send(method, path, as, body)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
}

let agents = 0
async function newAgent(access: readonly string[] = [toolboxId]): Promise<string> {
  const { body } = await ask('POST', '/api/agents', { name: `agent-${++agents}` })
  for (const id of access) await ask('PUT', `/api/agents/${body.id}/toolboxes/${id}`)
  return body.id
}

test('an agent is made, read, renamed, switched off and removed', async () => {
  const made = await ask('POST', '/api/agents', { name: 'helper', description: 'reads mail' })
  expect([made.status, made.body]).toEqual([
    201,
    {
      id: expect.stringMatching(/^agent_/),
      name: 'helper',
      description: 'reads mail',
      enabled: true,
      toolboxIds: [],
      toolbeltSize: 0,
      limits: {},
      createdAt: expect.any(String),
    },
  ])
  const path = `/api/agents/${made.body.id}`
  expect((await ask('PATCH', path, { name: 'mailer', enabled: false })).body).toMatchObject({
    name: 'mailer',
    description: 'reads mail',
    enabled: false,
  })
  expect((await ask('GET', path)).body.name).toBe('mailer')
  expect((await ask('DELETE', path, undefined, operator)).status).toBe(403)
  expect((await ask('DELETE', path, undefined, admin)).status).toBe(204)
  expect((await ask('GET', path)).body.code).toBe('agent-not-found')
})

test('a name is taken once, also when two come at the same moment', async () => {
  const [one, other] = [await newAgent(), await newAgent()]
  const made = await Promise.all(['twin', 'twin', 'twin'].map((name) => ask('POST', '/api/agents', { name })))
  expect(made.map(({ status }) => status).sort()).toEqual([201, 409, 409])
  const renamed = await Promise.all([one, other].map((id) => ask('PATCH', `/api/agents/${id}`, { name: 'same' })))
  expect(renamed.map(({ status }) => status).sort()).toEqual([200, 409])
})

test('a repeated request with a key makes one agent', async () => {
  const send = () =>
    plane.request('POST', '/api/agents', operator, {
      body: JSON.stringify({ name: 'once' }),
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k1' },
    })
  const [first, second] = [await (await send()).json(), await (await send()).json()]
  expect(second).toEqual(first)
})

test('agents are listed by name, page by page', async () => {
  await Promise.all([newAgent(), newAgent(), newAgent()])
  const names: string[] = []
  let cursor = ''
  do {
    const { body } = await ask('GET', `/api/agents?limit=2${cursor && `&cursor=${cursor}`}`)
    names.push(...body.items.map(({ name }: { name: string }) => name))
    cursor = body.nextCursor ?? ''
  } while (cursor)
  expect(names).toEqual(names.toSorted())
  expect(names).toHaveLength((await ask('GET', '/api/agents?limit=200')).body.items.length)
})

test('a token is shown once, with everything to paste; what is stored opens nothing', async () => {
  const agentId = await newAgent()
  const { status, body } = await ask('POST', `/api/agents/${agentId}/tokens`, { name: 'laptop', expiresInDays: 30 })
  expect([status, body.mcpUrl]).toEqual([201, 'http://localhost:3000/mcp'])
  expect(body.secret).toMatch(/^agt_[\w-]{43}$/)
  expect(body.snippets.length).toBeGreaterThanOrEqual(7)
  for (const { text } of body.snippets) expect(text).toContain(body.secret)
  const stored = JSON.stringify(await plane.store.system((tx) => tx.select().from(agentTokens)))
  expect(stored).not.toContain(body.secret)
  const { body: list } = await ask('GET', `/api/agents/${agentId}/tokens`)
  expect(list.items).toEqual([body.token])
  expect(JSON.stringify(list)).not.toContain(body.secret)
  expect(JSON.stringify((await ask('GET', '/api/activity')).body)).not.toContain(body.secret)

  expect((await ask('DELETE', `/api/agents/${agentId}/tokens/${body.token.id}`)).status).toBe(204)
  expect((await ask('DELETE', `/api/agents/${agentId}/tokens/${body.token.id}`)).body.code).toBe('token-not-found')
})

test('a token does not belong to another agent of the same account', async () => {
  const [one, other] = [await newAgent(), await newAgent()]
  const { body } = await ask('POST', `/api/agents/${one}/tokens`, { name: 'x' })
  expect((await ask('DELETE', `/api/agents/${other}/tokens/${body.token.id}`)).status).toBe(404)
})

test('in the toolbelt everything is denied until it is allowed', async () => {
  const agentId = await newAgent()
  const path = `/api/agents/${agentId}/toolbelt`
  const { status, body } = await ask('POST', path, { instanceId })
  expect([status, body]).toMatchObject([201, { instanceName: 'demo', toolId: 'everything', toolboxId, enabled: true }])
  expect(body.permissions).toEqual([
    {
      capability: 'echo',
      gatewayName: 'demo__echo',
      description: 'echo!',
      readOnly: true,
      allowed: false,
      ask: false,
      offered: true,
    },
    {
      capability: 'drop_all',
      gatewayName: 'demo__drop_all',
      description: 'drop_all!',
      destructive: true,
      allowed: false,
      ask: false,
      offered: true,
    },
  ])
  const allowed = async (allow: string[]) =>
    (await ask('PATCH', `${path}/${body.id}`, { allow })).body.permissions
      .filter((one: { allowed: boolean }) => one.allowed)
      .map(({ capability: name, offered }: { capability: string; offered: boolean }) => [name, offered])
  expect(await allowed(['echo', 'echo', 'not_yet'])).toEqual([
    ['echo', true],
    ['not_yet', false],
  ])
  expect(await allowed(['drop_all'])).toEqual([['drop_all', true]])
  expect(await allowed([])).toEqual([])
  expect((await ask('PATCH', `${path}/${body.id}`, { enabled: false })).body.enabled).toBe(false)
  expect((await ask('GET', `/api/agents/${agentId}`)).body.toolbeltSize).toBe(1)
  expect((await ask('DELETE', `${path}/${body.id}`)).status).toBe(204)
  expect((await ask('DELETE', `${path}/${body.id}`)).body.code).toBe('toolbelt-item-not-found')
})

test('no toolbelt item without access to its toolbox; taking the access takes the items', async () => {
  const agentId = await newAgent([])
  const path = `/api/agents/${agentId}/toolbelt`
  expect((await ask('POST', path, { instanceId })).body.code).toBe('toolbox-access-missing')
  expect((await ask('PUT', `/api/agents/${agentId}/toolboxes/${toolboxId}`)).body.toolboxIds).toEqual([toolboxId])
  expect((await ask('POST', path, { instanceId, allow: ['echo'] })).status).toBe(201)
  expect((await ask('DELETE', `/api/agents/${agentId}/toolboxes/${toolboxId}`)).body).toMatchObject({
    toolboxIds: [],
    toolbeltSize: 0,
  })
  expect((await ask('GET', path)).body.items).toEqual([])
})

test('two tools of one name do not come into one toolbelt, nor one twice, nor at the same moment', async () => {
  const agentId = await newAgent([toolboxId, twinToolboxId])
  const path = `/api/agents/${agentId}/toolbelt`
  const answers = await Promise.all([instanceId, twinId, instanceId].map((id) => ask('POST', path, { instanceId: id })))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409])
})

test('what belongs to another account is not there', async () => {
  const agentId = await newAgent()
  const { body: item } = await ask('POST', `/api/agents/${agentId}/toolbelt`, { instanceId })
  const { body: mine } = await ask('POST', '/api/agents', { name: 'mine' }, stranger)
  const own = `/api/agents/${mine.id}`
  for (const [method, path, body] of [
    ['GET', `/api/agents/${agentId}`],
    ['PATCH', `/api/agents/${agentId}`, { enabled: false }],
    ['DELETE', `/api/agents/${agentId}`],
    ['GET', `/api/agents/${agentId}/toolbelt`],
    ['POST', `/api/agents/${agentId}/tokens`, { name: 'x' }],
    ['PATCH', `${own}/toolbelt/${item.id}`, { allow: ['echo'] }],
    ['DELETE', `${own}/toolbelt/${item.id}`],
    ['PUT', `${own}/toolboxes/${toolboxId}`],
    ['POST', `${own}/toolbelt`, { instanceId }],
    ['POST', `${own}/tools/${item.id}/execute`, { capability: 'echo' }],
  ] as const)
    expect([method, path, (await ask(method, path, body, stranger)).status]).toEqual([method, path, 404])
  expect((await ask('GET', '/api/agents', undefined, stranger)).body.items).toHaveLength(1)
})

test('an agent executes with its own toolbelt only; denied and unreachable are told apart, and all is on record', async () => {
  const agentId = await newAgent()
  const { body: item } = await ask('POST', `/api/agents/${agentId}/toolbelt`, { instanceId, allow: ['echo'] })
  const { body: made } = await ask('POST', `/api/agents/${agentId}/tokens`, { name: 'x' })
  const self = { authorization: `Bearer ${made.secret}` }
  const path = `/api/agents/${agentId}/tools/${item.id}/execute`
  const execute = async (name: string, as: As) => {
    await sleep(2) // calls of one millisecond have no order
    return ask('POST', path, { capability: name }, as)
  }

  expect((await execute('drop_all', self)).body).toMatchObject({ status: 403, code: 'capability-denied' })
  expect((await execute('no_such', self)).body).toMatchObject({ status: 403, code: 'capability-denied' })
  expect((await execute('echo', self)).body).toMatchObject({ status: 503, code: 'toolbox-unreachable' })
  expect((await execute('echo', operator)).body).toMatchObject({ code: 'toolbox-unreachable' })
  const another = await newAgent()
  expect((await ask('POST', path.replace(agentId, another), { capability: 'echo' }, self)).status).toBe(404)
  expect((await ask('GET', `/api/agents/${agentId}`, undefined, self)).status).toBe(403)

  const { body: calls } = await ask('GET', `/api/calls?agentId=${agentId}`)
  expect(calls.items.map(({ outcome, code }: { outcome: string; code: string }) => [outcome, code])).toEqual([
    ['failed', 'toolbox-unreachable'],
    ['failed', 'toolbox-unreachable'],
    ['denied', 'not-granted'],
    ['denied', 'not-granted'],
  ])
  const { body: page } = await ask('GET', `/api/calls?agentId=${agentId}&limit=3`)
  const { body: rest } = await ask('GET', `/api/calls?agentId=${agentId}&limit=3&cursor=${page.nextCursor}`)
  expect([...page.items, ...rest.items]).toEqual(calls.items)
  expect((await ask('GET', '/api/calls?cursor=x')).body.code).toBe('invalid-request')
  expect((await ask('GET', '/api/calls', undefined, stranger)).body.items).toEqual([])
})

test('a call that is refused is told the true cause, with what mends it', async () => {
  const agentId = await newAgent()
  const { body: item } = await ask('POST', `/api/agents/${agentId}/toolbelt`, { instanceId, allow: ['echo', 'ghost'] })
  const path = `/api/agents/${agentId}/tools/${item.id}/execute`
  // What is remembered of a toolbelt is forgotten when its change is announced, a moment later.
  const refused = (capability = 'echo') =>
    expect.poll(async () => (await ask('POST', path, { capability })).body, { timeout: 10_000 })
  const allow = (change: object) => ask('PATCH', `/api/agents/${agentId}/toolbelt/${item.id}`, change)

  await refused('ghost').toMatchObject({ status: 409, code: 'capability-not-offered' })
  await ask('PATCH', `/api/agents/${agentId}`, { enabled: false })
  await refused().toMatchObject({ status: 403, code: 'agent-disabled', fix: expect.stringContaining('on') })
  await refused('no_such').toMatchObject({ code: 'agent-disabled' })
  await ask('PATCH', `/api/agents/${agentId}`, { enabled: true })
  await allow({ enabled: false })
  await refused().toMatchObject({ status: 403, code: 'toolbelt-item-disabled' })
  await allow({ enabled: true })
  await ask('POST', `/api/toolboxes/${toolboxId}/tools/${instanceId}/stop`)
  await refused().toMatchObject({ status: 409, code: 'instance-not-running' })
  await refused('no_such').toMatchObject({ status: 403, code: 'capability-denied' })
  await ask('POST', `/api/toolboxes/${toolboxId}/tools/${instanceId}/start`)
  await ask('PUT', '/api/calls/switch', { enabled: false }, admin)
  await refused().toMatchObject({ status: 403, code: 'calls-stopped' })
  await ask('PUT', '/api/calls/switch', { enabled: true }, admin)
  await refused().toMatchObject({ code: 'toolbox-unreachable' })
  await ask('DELETE', `/api/agents/${agentId}/toolboxes/${toolboxId}`) // takes the item out of the toolbelt
  await refused().toMatchObject({ status: 404, code: 'toolbelt-item-not-found' })
})

test('a removed agent leaves its calls on record', async () => {
  const agentId = await newAgent()
  const { body: item } = await ask('POST', `/api/agents/${agentId}/toolbelt`, { instanceId })
  await ask('POST', `/api/agents/${agentId}/tools/${item.id}/execute`, { capability: 'echo' })
  expect((await ask('DELETE', `/api/agents/${agentId}`, undefined, admin)).status).toBe(204)
  expect((await ask('GET', `/api/calls?agentId=${agentId}`)).body.items).toHaveLength(1)
})

test('each change names who made it', async () => {
  const { body } = await ask('GET', '/api/activity?limit=200')
  const actions = new Set(body.items.map(({ action }: { action: string }) => action))
  expect([...actions].sort()).toEqual(
    expect.arrayContaining([
      'agent.access-granted',
      'agent.access-revoked',
      'agent.created',
      'agent.disabled',
      'agent.removed',
      'agent.token-created',
      'agent.token-revoked',
      'agent.updated',
      'toolbelt.added',
      'toolbelt.changed',
      'toolbelt.removed',
    ]),
  )
})
