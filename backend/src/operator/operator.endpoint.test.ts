import { OPERATIONS, type UserOperation } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BODIES } from '../every-operation.testing.ts'
import { IDEMPOTENCY_KEY } from '../gateway/idempotency-key.ts'
import { activities, apiTokens, instances, toolboxes } from '../store/schema/index.ts'
import { openTestOperators, type TestOperators } from './operator.testing.ts'
import { toolsOf } from './operator-tool.ts'

const operations = OPERATIONS as readonly UserOperation[]
const RANK = ['viewer', 'operator', 'admin'] as const

let operators: TestOperators
let mine: Awaited<ReturnType<TestOperators['account']>>
let theirs: Awaited<ReturnType<TestOperators['account']>>
beforeAll(async () => {
  operators = await openTestOperators()
  mine = await operators.account('account_mine')
  theirs = await operators.account('account_theirs')
})
afterAll(() => operators.close())

const list = async (token: string) =>
  (await operators.post(token, operators.rpc('tools/list'))).result.tools.map(({ name }) => name)
const call = (...of: Parameters<TestOperators['call']>) => operators.call(...of)
const problemIn = async (answered: ReturnType<typeof call>) => {
  const { status, result } = await answered
  return { status, isError: result.isError, code: result.structuredContent['code'], text: result.content[0]!.text }
}
const toolboxNamed = (name: string) =>
  operators.store.system((tx) => tx.select().from(toolboxes).where(eq(toolboxes.name, name)))

describe('who is let in', () => {
  test('nobody without a token, and nobody with a wrong one', async () => {
    const without = await operators.post(undefined, operators.rpc('tools/list'))
    expect([without.status, without.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="agentopia"'])
    const wrong = await operators.post('tbx_nobody', operators.rpc('tools/list'))
    expect([wrong.status, wrong.headers.get('www-authenticate'), wrong.error.message]).toEqual([
      401,
      'Bearer realm="agentopia", error="invalid_token"',
      'The bearer token is not valid: unknown, expired or revoked',
    ])
  })

  test('no browser by its cookie: a page of another site could make it send one', async () => {
    const { status } = await operators.post(undefined, operators.rpc('tools/list'), mine.browser)
    expect(status).toBe(401)
    const own = await operators.post(undefined, operators.rpc('tools/list'), {
      ...mine.browser,
      origin: operators.origin,
    })
    expect(own.status).toBe(401)
  })

  test('no agent: it has an endpoint of its own', async () => {
    const token = mine.agent['authorization']!.slice('Bearer '.length)
    const { status, error } = await operators.post(token, operators.rpc('tools/list'))
    expect([status, error.message]).toEqual([403, 'This is for API tokens of people; agents connect to /mcp'])
  })

  test('a token that expired is refused, as by the API', async () => {
    const { secret, token } = await mine.tokenOf('admin', 1)
    expect(await list(secret)).toContain('listToolboxes')
    await operators.store.system((tx) =>
      tx
        .update(apiTokens)
        .set({ expiresAt: new Date(0) })
        .where(eq(apiTokens.id, token.id)),
    )
    // Whatever is revoked, all that was remembered of tokens is asked anew.
    await operators.request('DELETE', `/api/tokens/${mine.ids.tokenId}`, { authorization: `Bearer ${mine.admin}` })
    expect((await operators.post(secret, operators.rpc('tools/list'))).status).toBe(401)
  })

  test('T01 a token that was revoked is refused at once', async () => {
    const { secret, token } = await mine.tokenOf('operator')
    expect(await list(secret)).toContain('deployTool')
    await operators.request('DELETE', `/api/tokens/${token.id}`, mine.browser)
    expect((await operators.post(secret, operators.rpc('tools/list'))).status).toBe(401)
  })

  test.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
  ])('M04 %s is refused, token or not', async (_, headers) => {
    expect((await operators.post(mine.admin, operators.rpc('tools/list'), headers)).status).toBe(403)
  })

  test('T13 a token in the address opens nothing', async () => {
    const answer = await fetch(`${operators.url}?token=${mine.admin}`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(400)
  })

  test.each(['GET', 'DELETE', 'PUT'])('%s is not served', async (method) => {
    const answer = await fetch(operators.url, { method, headers: { authorization: `Bearer ${mine.viewer}` } })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

describe('what is offered', () => {
  test('T01 each role gets the tools of its own and those below, and a viewer none that changes anything', async () => {
    const all = [...toolsOf(operations).values()]
    for (const [rank, role] of RANK.entries()) {
      const expected = all.filter(({ op }) => RANK.indexOf(op.auth as 'viewer') <= rank).map(({ op }) => op.id)
      expect(await list(mine[role])).toEqual(expected)
    }
    const { result } = await operators.post(mine.viewer, operators.rpc('tools/list'))
    expect(result.tools.filter(({ annotations }) => !annotations.readOnlyHint)).toEqual([])
  })

  test('T01 what is not listed for a role is refused when it is called all the same, and nothing is changed', async () => {
    const closed = [...toolsOf(operations).values()].filter(({ op }) => op.auth !== 'viewer')
    expect(closed.length).toBeGreaterThan(40)
    for (const { op } of closed) {
      const { status, isError, code, text } = await problemIn(call(mine.viewer, op.id, {}))
      expect([op.id, status, isError, code, text]).toEqual([
        op.id,
        200,
        true,
        'forbidden',
        expect.stringContaining(`${op.id} needs the role ${op.auth}`),
      ])
    }
  })

  test.each([
    'createApiToken',
    'decideApproval',
    'executeCapability',
    'putCredential',
    'setPassword',
    'signOut',
    'no-such-tool',
    'constructor',
  ])('%s does not exist, not even for an administrator', async (name) => {
    const { status, error } = await call(mine.admin, name, {})
    expect([status, error.code, error.message]).toEqual([200, -32_602, `Unknown tool: ${name}`])
  })

  test.each(['resources/list', 'prompts/list', 'logging/setLevel', 'completion/complete', 'constructor'])(
    'beside tools there is no %s',
    async (method) => {
      expect((await operators.post(mine.admin, operators.rpc(method))).error.code).toBe(-32_601)
    },
  )
})

describe('a call', () => {
  test('answers what the API answers, as text and as structure', async () => {
    const { result } = await call(mine.viewer, 'listToolboxes')
    const bare = await operators.request('GET', '/api/toolboxes', { authorization: `Bearer ${mine.viewer}` })
    expect(result.isError).toBeUndefined()
    expect(result.structuredContent).toMatchObject({ items: [{ id: mine.ids.toolboxId, name: 'alpha' }] })
    expect(JSON.parse(result.content[0]!.text)).toEqual(result.structuredContent)
    expect(((await bare.json()) as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([mine.ids.toolboxId])
  })

  test('does what it says, and is on record under the name of the token', async () => {
    const { toolboxId } = mine.ids
    const { result } = await call(mine.operator, 'deployTool', { toolboxId, toolId: 'everything', name: 'by-model' })
    expect(result.structuredContent).toMatchObject({ name: 'by-model', toolId: 'everything', desired: 'running' })
    const rows = await operators.store.system((tx) => tx.select().from(instances).where(eq(instances.name, 'by-model')))
    expect(rows).toHaveLength(1)
    const [record] = await operators.store.system((tx) =>
      tx.select().from(activities).where(eq(activities.subject, rows[0]!.id)),
    )
    expect(record).toMatchObject({ accountId: 'account_mine', actor: 'token operator', action: 'instance.deployed' })
  })

  test('that answers nothing says that it is done', async () => {
    const { result } = await call(mine.admin, 'removeRegistryCredential', { registry: 'registry.example' })
    expect(result.structuredContent).toMatchObject({ code: 'registry-not-found' })
    const removed = await call(mine.admin, 'revokeInvitation', { invitationId: mine.ids.invitationId })
    expect(removed.result).toMatchObject({ content: [{ type: 'text', text: 'Done.' }] })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['an id that is none', { toolboxId: 'x', toolId: 'everything', name: 'a' }, 'params.toolboxId:'],
    [
      'a name that is none',
      { toolboxId: `toolbox_${'0'.repeat(16)}`, toolId: 'everything', name: 'A b' },
      'body.name:',
    ],
    ['nothing', {}, 'params.toolboxId:'],
    [
      'a text that the database cannot hold',
      { toolboxId: '\0', toolId: 'everything', name: 'a' },
      'params: a text holds',
    ],
    ['a field of no tool', { toolboxId: 'x', accountId: 'account_theirs' }, 'accountId: is not an argument'],
  ])('with %s is told which field is wrong', async (_, args, words) => {
    const { isError, code, text } = await problemIn(call(mine.operator, 'deployTool', args))
    expect([isError, code, text]).toEqual([true, 'invalid-request', expect.stringContaining(words)])
  })

  test.each([
    ['arguments that are none', { name: 'getMe', arguments: [] }],
    ['no name', { arguments: {} }],
  ])('with %s is no call', async (_, params) => {
    expect((await operators.post(mine.viewer, operators.rpc('tools/call', params))).error.code).toBe(-32_602)
  })

  test('of what destroys needs the name as confirmation, as in the API', async () => {
    const id = mine.ids.toolboxId
    await operators.store.system((tx) =>
      tx.update(toolboxes).set({ provider: 'digitalocean' }).where(eq(toolboxes.id, id)),
    )
    for (const args of [{ toolboxId: id }, { toolboxId: id, confirm: 'beta' }]) {
      expect(await problemIn(call(mine.operator, 'removeToolbox', args))).toMatchObject({ code: 'not-confirmed' })
    }
    const [row] = await operators.store.system((tx) => tx.select().from(toolboxes).where(eq(toolboxes.id, id)))
    expect(row!.deletedAt).toBeNull()
  })

  test('M12 sent twice with one key is carried out once; without a key twice', async () => {
    const create = (name: string, meta?: object) =>
      call(mine.operator, 'createToolbox', { body: { provider: 'join', name } }, meta)
    const [first, second] = [
      await create('once', { [IDEMPOTENCY_KEY]: 'k1' }),
      await create('once', { [IDEMPOTENCY_KEY]: 'k1' }),
    ]
    expect(second.result.structuredContent['id']).toBe(first.result.structuredContent['id'])
    expect(await toolboxNamed('once')).toHaveLength(1)
    expect(await problemIn(create('other', { [IDEMPOTENCY_KEY]: 'k1' }))).toMatchObject({
      code: 'idempotency-key-reused',
    })
    expect(await problemIn(create('once'))).toMatchObject({ code: 'name-taken' })
    expect(await problemIn(create('third', { [IDEMPOTENCY_KEY]: 3 }))).toMatchObject({ code: 'invalid-request' })
  })

  test.each([
    ['empty', ''],
    ['too long', 'k'.repeat(256)],
    ['no text', 'a\0b'],
  ])(
    'with a key that is %s is told so where a key is taken, and is not looked at where none is, as in the API',
    async (_, key) => {
      const meta = { [IDEMPOTENCY_KEY]: key }
      const keyed = call(mine.operator, 'createToolbox', { body: { provider: 'join', name: 'keyed' } }, meta)
      expect(await problemIn(keyed)).toMatchObject({
        code: 'invalid-request',
        text: expect.stringContaining('Idempotency-Key: must'),
      })
      expect(await toolboxNamed('keyed')).toEqual([])
      expect((await call(mine.viewer, 'listToolboxes', {}, meta)).result.isError).toBeUndefined()
    },
  )

  test('that reads more than a model should is told to ask for less', async () => {
    const long = Array.from({ length: 150 }, (_, at) => ({
      id: `act_long_${at}`,
      accountId: 'account_mine',
      actor: 'long',
      action: 'agent.created' as const,
      subject: 'x',
      message: 'm'.repeat(1_000),
    }))
    await operators.store.system((tx) => tx.insert(activities).values(long))
    const { result } = await call(mine.viewer, 'listActivity', { limit: 150 })
    expect([result.isError, result.structuredContent, result.content[0]!.text]).toEqual([
      true,
      undefined,
      expect.stringMatching(/^The answer has \d{6} characters, 100000 are given to a model at most/),
    ])
    expect((await call(mine.viewer, 'listActivity', { limit: 20 })).result.isError).toBeUndefined()
    await operators.store.system((tx) => tx.delete(activities).where(eq(activities.actor, 'long')))
  })

  test('M09 what strangers wrote comes without what people do not see', async () => {
    await operators.store.system((tx) =>
      tx
        .update(toolboxes)
        .set({ machine: { hostname: 'al\u202epha\u200b\u001b[31m', os: 'x', arch: 'x' } })
        .where(eq(toolboxes.id, mine.ids.toolboxId)),
    )
    const { result } = await call(mine.viewer, 'getToolbox', { toolboxId: mine.ids.toolboxId })
    expect(result.structuredContent['machine']).toMatchObject({ hostname: 'alpha' })
    expect(result.content[0]!.text).not.toMatch(/\u202e|\u200b|\\u/)
  })
})

describe('another account', () => {
  test('T02 is not there: whatever tool is called with its ids finds nothing', async () => {
    const own = { ...mine.ids, ...theirs.ids } as Record<string, string>
    const withIds = [...toolsOf(operations).values()].filter(({ op }) =>
      [...op.path.matchAll(/:(\w+)/g)].some(([, name]) =>
        /^(?:toolbox|instance|agent|group|rollout|call)Id$/.test(name!),
      ),
    )
    expect(withIds.length).toBeGreaterThan(40)
    for (const { op, listed } of withIds) {
      const { properties } = listed.inputSchema as { properties: Record<string, object> }
      const ids = [...op.path.matchAll(/:(\w+)/g)].map(([, name]) => [name!, own[name!] ?? '1'] as const)
      expect(Object.keys(properties)).toEqual(expect.arrayContaining(ids.map(([name]) => name)))
      const body = BODIES[op.id] as object | undefined
      const fields = body && 'body' in properties ? { body } : body
      const { result } = await call(mine.admin, op.id, { ...Object.fromEntries(ids), ...fields })
      const text = result.content[0]!.text
      const found = [op.id, result.isError, text]
      expect(found).toEqual([op.id, true, expect.stringMatching(/\([a-z-]+-not-found\)\./)])
      expect(text).not.toContain('account_theirs')
    }
  })

  test('T04 a list shows nothing of it', async () => {
    for (const name of ['listToolboxes', 'listAgents', 'listCalls', 'listActivity', 'listRollouts', 'listMembers']) {
      const { result } = await call(mine.admin, name)
      const text = JSON.stringify(result.structuredContent)
      for (const id of [theirs.ids.toolboxId, theirs.ids.agentId, theirs.ids.callId, theirs.userId, 'account_theirs'])
        expect([name, text.includes(id)]).toEqual([name, false])
    }
  })
})

describe('the protocol', () => {
  const KEY = 'io.modelcontextprotocol/'
  const META = { [`${KEY}protocolVersion`]: '2026-07-28', [`${KEY}clientCapabilities`]: {} }
  const modern = (method: string, params: object = {}, name?: string) =>
    operators.post(mine.viewer, operators.rpc(method, { ...params, _meta: META }), {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    })

  test('the earlier revisions begin with initialize', async () => {
    const { result } = await operators.post(mine.viewer, operators.rpc('initialize', { protocolVersion: '2025-11-25' }))
    expect(result).toMatchObject({
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'agentopia-toolboxes' },
      instructions: expect.stringContaining('words of strangers'),
    })
    const { status } = await operators.post(mine.viewer, { jsonrpc: '2.0', method: 'notifications/initialized' })
    expect(status).toBe(202)
    expect((await operators.post(mine.viewer, operators.rpc('ping'))).result).toEqual({})
  })

  test('the present one needs no beginning', async () => {
    expect((await modern('server/discover')).result).toMatchObject({
      resultType: 'complete',
      supportedVersions: expect.arrayContaining(['2026-07-28', '2025-11-25']),
      capabilities: { tools: {} },
    })
    const { result } = await modern('tools/call', { name: 'getMe', arguments: {} }, 'getMe')
    expect(result).toMatchObject({ resultType: 'complete', structuredContent: { role: 'viewer' } })
    expect((await modern('initialize')).status).toBe(404)
  })

  test('M05 headers that say something else than the body are refused', async () => {
    expect((await modern('tools/call', { name: 'getMe', arguments: {} }, 'listAgents')).status).toBe(400)
  })

  test.each([
    ['a key twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}'],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]'],
    ['no JSON', '{'],
  ])('M16 %s is refused', async (_, body) => {
    expect((await operators.post(mine.viewer, body)).status).toBe(400)
  })
})
