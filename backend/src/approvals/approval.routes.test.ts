import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  type As,
  furnish,
  ORIGIN,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { agentToolboxAccess, approvals, capabilityPermissions, instances } from '../store/schema/index.ts'

let plane: TestControlPlane
let operator: As
let viewer: As
let admin: As
let stranger: As
let home: Awaited<ReturnType<typeof furnish>>

const wipe = {
  name: 'wipe',
  inputSchema: { type: 'object' },
  annotations: { destructiveHint: true },
  digest: 'wipe',
}

beforeAll(async () => {
  plane = await openTestControlPlane()
  const owner = await signedIn(plane, 'account_a', 'owner')
  operator = await signedIn(plane, 'account_a', 'operator')
  admin = await signedIn(plane, 'account_a', 'admin')
  viewer = await signedIn(plane, 'account_a', 'viewer')
  stranger = await signedIn(plane, 'account_b', 'owner')
  home = await furnish(plane.store, 'account_a', owner.userId)
  const { agentId, toolboxId, toolbeltItemId, instanceId } = home.ids
  await plane.store.system(async (tx) => {
    await tx.delete(approvals) // that of the furniture
    await tx.insert(agentToolboxAccess).values({ accountId: 'account_a', agentId, toolboxId })
    await tx
      .update(instances)
      .set({ capabilities: [wipe] })
      .where(eq(instances.id, instanceId))
    await tx
      .insert(capabilityPermissions)
      .values({ accountId: 'account_a', toolbeltItemId, capability: 'wipe', ask: true })
  })
})
afterAll(() => plane.close())

async function ask(method: string, path: string, as: As, body?: unknown) {
  const answer = body === undefined ? await plane.request(method, path, as) : await plane.send(method, path, as, body)
  return { status: answer.status, body: JSON.parse(await answer.text()) }
}
const execute = (as: As = home.agent, args: object = { path: '/', password: 'canary-of-a-secret' }) =>
  ask('POST', `/api/agents/${home.ids.agentId}/tools/${home.ids.toolbeltItemId}/execute`, as, {
    capability: 'wipe',
    arguments: args,
  })
const inbox = async (as: As = operator, query = '') => (await ask('GET', `/api/approvals${query}`, as)).body.items
const first = (as?: As) =>
  vi.waitFor(async () => {
    const [found] = await inbox(as)
    expect(found).toBeDefined()
    return found
  })
const decide = (id: string, body: object, as: As = operator) => ask('POST', `/api/approvals/${id}/decision`, as, body)

test('a call over REST waits in the inbox, with its arguments, masked, for those who may decide, and for nobody else', async () => {
  const call = execute()
  const asked = await first()
  expect(asked).toMatchObject({
    agentId: home.ids.agentId,
    instanceName: 'demo',
    capability: 'wipe',
    destructive: true,
    via: 'rest',
    state: 'waiting',
    always: false,
  })
  expect(JSON.parse(asked.arguments)).toEqual({ path: '/', password: '•••' })
  expect((await first(viewer)).arguments).toBeUndefined()
  expect(await inbox(stranger)).toEqual([])
  const [row] = await plane.store.system((tx) => tx.select().from(approvals))
  expect(row?.arguments).not.toContain('path') // sealed
  for (const [as, status] of [
    [viewer, 403],
    [home.agent, 403],
    [stranger, 404],
    [{}, 401],
  ] as const)
    expect((await decide(asked.id, { decision: 'approve' }, as)).status).toBe(status)
  expect((await inbox())[0].state).toBe('waiting')

  const answers = await Promise.all([1, 2, 3].map(() => decide(asked.id, { decision: 'approve' })))
  expect(answers.map(({ status, body }) => [status, body.state])).toEqual(Array(3).fill([200, 'approved']))
  // It went on, as far as it can here: there is no toolbox.
  expect((await call).body).toMatchObject({ code: 'toolbox-unreachable' })
  const { body } = await ask('GET', '/api/activity?limit=200', viewer)
  const told = body.items.filter(({ action }: { action: string }) => action === 'call.approved')
  expect(told.map(({ message }: { message: string }) => message)).toEqual(['Allowed one call: wipe of demo by helper'])
  expect(await inbox(operator, '?state=settled')).toMatchObject([{ id: asked.id, state: 'approved' }])
  expect(JSON.stringify(await inbox(operator, '?state=settled'))).not.toContain('"arguments"')
  const { body: record } = await ask('GET', '/api/calls', viewer)
  expect(record.items[0]).toMatchObject({ id: asked.callId, decidedBy: told[0].actor, code: 'toolbox-unreachable' })
  expect((await ask('GET', '/api/calls/verification', viewer)).body.intact).toBe(true)
})

test('a no is a problem with what was said, and is the answer to every repetition under the same key', async () => {
  const path = `/api/agents/${home.ids.agentId}/tools/${home.ids.toolbeltItemId}/execute`
  const headers = { ...home.agent, 'idempotency-key': 'once' }
  const call = ask('POST', path, headers, { capability: 'wipe' })
  const { id } = await first()
  expect((await ask('POST', path, headers, { capability: 'wipe' })).body.code).toBe('call-under-way')
  await decide(id, { decision: 'deny', reason: 'never on this host' })
  expect((await call).body).toMatchObject({ status: 403, code: 'approval-denied' })
  expect((await call).body.detail).toContain('never on this host')
  expect((await ask('POST', path, headers, { capability: 'wipe' })).body).toMatchObject({ code: 'approval-denied' })
  expect((await decide(id, { decision: 'approve' })).body).toMatchObject({ status: 409, code: 'approval-settled' })
})

test('an operator who tries a capability is asked, too, and may answer', async () => {
  const call = execute(operator)
  const { id } = await first()
  expect((await decide(id, { decision: 'approve' }, admin)).status).toBe(200)
  expect((await call).body.code).toBe('toolbox-unreachable')
})

test('what is asked for is set beside what is allowed; whoever saves the list keeps it asked for', async () => {
  const path = `/api/agents/${home.ids.agentId}/toolbelt/${home.ids.toolbeltItemId}`
  const set = async (body: object, as = operator) => {
    const answer = await ask('PATCH', path, as, body)
    return answer.status === 200
      ? answer.body.permissions.map((one: { allowed: boolean; ask: boolean }) => [one.allowed, one.ask])
      : answer.status
  }
  expect(await set({ allow: ['wipe'] })).toEqual([[true, true]])
  expect(await set({ ask: [] })).toEqual([[true, false]])
  expect(await set({ askPatterns: ['w*'] })).toEqual([[true, true]])
  expect(await set({ ask: [] })).toEqual([[true, false]]) // although the pattern fits
  expect(await set({ askPatterns: ['*'] })).toEqual([[true, true]]) // patterns set anew hold for all
  expect(await set({ askPatterns: [] })).toEqual([[true, false]])
  expect(await set({ allow: [] })).toEqual([[false, false]])
  expect(await set({ ask: ['wipe'] })).toEqual([[true, true]]) // asked for is allowed
  expect(await set({ ask: ['wipe'] }, viewer)).toBe(403)
  expect(await set({ askPatterns: ['has space'] })).toBe(400)
})

test('always is for this capability of this agent, and is told', async () => {
  const call = execute()
  const { id } = await first()
  expect((await decide(id, { decision: 'approve', always: true })).body).toMatchObject({ always: true })
  await call
  expect((await execute()).body.code).toBe('toolbox-unreachable')
  const { body } = await ask('GET', '/api/activity?limit=200', viewer)
  expect(JSON.stringify(body.items)).toContain('without being asked from now on')
  const { body: belt } = await ask('GET', `/api/agents/${home.ids.agentId}/toolbelt`, viewer)
  expect(belt.items[0].permissions[0]).toMatchObject({ allowed: true, ask: false })
})

test('how long a call waits is for the account to say', async () => {
  const set = (approvalSeconds: number, as: As) => ask('PATCH', '/api/calls/settings', as, { approvalSeconds })
  expect((await set(30, operator)).status).toBe(403)
  expect((await set(5, admin)).status).toBe(400)
  expect((await set(30, admin)).body).toMatchObject({ enabled: true, retentionDays: null, approvalSeconds: 30 })
  const path = `/api/agents/${home.ids.agentId}/toolbelt/${home.ids.toolbeltItemId}`
  await ask('PATCH', path, operator, { ask: ['wipe'] })
  const call = execute()
  const asked = await first()
  expect(Date.parse(asked.expiresAt) - Date.parse(asked.askedAt)).toBe(30_000)
  await decide(asked.id, { decision: 'deny' })
  await call
})

test('whoever follows the account hears of a question, and of its end', async () => {
  const stream = await plane.request('GET', '/api/events', viewer)
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  const heard = async (): Promise<void> => {
    for (let text = ''; !text.includes('"noun":"approval"'); ) text += (await reader.read()).value ?? ''
  }
  const call = execute()
  await heard()
  const { id } = await first()
  await decide(id, { decision: 'deny' })
  await heard()
  await call
  await reader.cancel()
})

test('a control plane that stops ends what waits, and says so', async () => {
  const stopping = await openTestControlPlane()
  const owner = await signedIn(stopping, 'account_a', 'owner')
  const there = await furnish(stopping.store, 'account_a', owner.userId)
  const { agentId, toolboxId, toolbeltItemId, instanceId } = there.ids
  await stopping.store.system(async (tx) => {
    await tx.delete(approvals) // that of the furniture
    await tx.insert(agentToolboxAccess).values({ accountId: 'account_a', agentId, toolboxId })
    await tx
      .update(instances)
      .set({ capabilities: [wipe] })
      .where(eq(instances.id, instanceId))
    await tx
      .insert(capabilityPermissions)
      .values({ accountId: 'account_a', toolbeltItemId, capability: 'wipe', ask: true })
  })
  const path = `/api/agents/${agentId}/tools/${toolbeltItemId}/execute`
  const call = stopping.send('POST', path, { ...there.agent, origin: ORIGIN }, { capability: 'wipe' })
  const rows = () => stopping.store.system((tx) => tx.select().from(approvals))
  await vi.waitFor(async () => expect(await rows()).toHaveLength(1))
  await stopping.end()
  expect(await (await call).json()).toMatchObject({ code: 'approval-timeout', retryable: true })
  expect(await rows()).toMatchObject([
    { state: 'expired', reason: expect.stringContaining('stopped'), arguments: null },
  ])
  await stopping.close()
})
