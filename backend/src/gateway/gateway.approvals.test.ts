import { and, eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { decideAbout, listApprovalRows } from '../approvals/approval.store.ts'
import type { Tx } from '../store/connect.ts'
import {
  agents,
  approvals,
  callSettings,
  calls,
  capabilityPermissions,
  instances,
  toolbeltItems,
} from '../store/schema/index.ts'
import { FAKE_CAPABILITIES } from './fake-dtma.testing.ts'
import { openTestGateway, post, rpc, type TestGateway, toolCall } from './gateway.testing.ts'

// Between allow and deny there is a third answer: a person is asked, and the call waits for the word.

let gateway: TestGateway
beforeEach(async () => {
  gateway = await openTestGateway({ timeoutMs: 60_000 })
  await setAsk('echo')
})
afterEach(() => gateway.close())

const account = <Result>(act: (tx: Tx) => Promise<Result>) => gateway.store.tenant('account_1', act)
const setAsk = (capability: string, ask: boolean | null = true) =>
  account((tx) =>
    tx
      .update(capabilityPermissions)
      .set({ ask })
      .where(
        and(
          eq(capabilityPermissions.toolbeltItemId, gateway.demo.itemId),
          eq(capabilityPermissions.capability, capability),
        ),
      ),
  )
const waiting = () => account((tx) => listApprovalRows(tx, { state: 'waiting', limit: 100 }))
const settled = () => account((tx) => listApprovalRows(tx, { state: 'settled', limit: 100 }))
/** The question, once it stands in the inbox. */
const question = () =>
  vi.waitFor(async () => {
    const [found] = await waiting()
    expect(found).toBeDefined()
    return found!.row
  })
const decide = async (
  decision: 'approve' | 'deny',
  more: { always?: boolean; reason?: string; actor?: string } = {},
) => {
  const { id } = await question()
  const { always = false, reason = '', actor = 'alice@example.com' } = more
  return account((tx) => decideAbout(tx, id, { decision, always, reason, actor }))
}
const echo = (text = 'hello') => post(gateway, toolCall('demo__echo', { text }))

test('a call that is asked for waits, is made when a person says yes, and the record says who did', async () => {
  const call = echo()
  const asked = await question()
  expect(asked).toMatchObject({
    agentName: 'helper',
    instanceName: 'demo',
    capability: 'echo',
    via: 'mcp-legacy',
    state: 'waiting',
  })
  expect(gateway.dtma.seen).toEqual([])
  await decide('approve')
  expect((await call).body.result['content']).toEqual([{ type: 'text', text: 'hello' }])
  expect((await gateway.calls())[0]).toMatchObject({
    id: asked.callId,
    outcome: 'ok',
    decidedBy: 'alice@example.com',
    argumentDigest: asked.argumentDigest,
  })
  expect((await settled())[0]?.row).toMatchObject({
    state: 'approved',
    decidedBy: 'alice@example.com',
    arguments: null,
  })
})

test('a no reaches the model as the failure of a tool, with what was said; the tool never sees the call', async () => {
  const call = echo()
  await decide('deny', { reason: 'not on a Friday' })
  const { body } = await call
  expect(body.result).toMatchObject({ isError: true })
  expect(JSON.stringify(body.result)).toContain('alice@example.com denied this call: not on a Friday')
  expect(gateway.dtma.seen).toEqual([])
  expect((await gateway.calls())[0]).toMatchObject({
    outcome: 'denied',
    code: 'approval-denied',
    decidedBy: 'alice@example.com',
  })
})

test('when nobody answers in time the call is not made, and the question expires', async () => {
  await account((tx) => tx.insert(callSettings).values({ accountId: 'account_1', approvalSeconds: 1 }))
  const { body } = await echo()
  expect(body.result).toMatchObject({ isError: true })
  expect(JSON.stringify(body.result)).toContain('nobody answered in time')
  expect(gateway.dtma.seen).toEqual([])
  expect(await waiting()).toEqual([])
  expect((await settled())[0]?.row).toMatchObject({ state: 'expired', reason: 'Nobody answered within 1 s.' })
  expect((await gateway.calls())[0]).toMatchObject({ outcome: 'denied', code: 'approval-timeout' })
  const { id } = (await settled())[0]!.row
  const late = account((tx) => decideAbout(tx, id, { decision: 'approve', always: false, reason: '', actor: 'bob' }))
  await expect(late).rejects.toMatchObject({ code: 'approval-settled' })
})

test('the modern revision waits in the same way', async () => {
  const KEY = 'io.modelcontextprotocol/'
  const meta = { [`${KEY}protocolVersion`]: '2026-07-28', [`${KEY}clientCapabilities`]: {} }
  const body = rpc('tools/call', { name: 'demo__echo', arguments: { text: 'modern' }, _meta: meta })
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'demo__echo' }
  const made = post(gateway, body, headers)
  expect(await question()).toMatchObject({ via: 'mcp' })
  await decide('approve')
  expect((await made).body.result).toMatchObject({ resultType: 'complete', content: [{ text: 'modern' }] })
  const refused = post(gateway, body, headers)
  await decide('deny')
  expect((await refused).body.result).toMatchObject({ resultType: 'complete', isError: true })
})

test('a call that comes again with the answer to a question of its tool is not asked for twice; a second time it is', async () => {
  await setAsk('asks')
  const KEY = 'io.modelcontextprotocol/'
  const meta = { [`${KEY}protocolVersion`]: '2026-07-28', [`${KEY}clientCapabilities`]: { elicitation: {} } }
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'demo__asks' }
  const call = (more: object = {}) =>
    post(gateway, rpc('tools/call', { name: 'demo__asks', arguments: {}, _meta: meta, ...more }), headers)
  const first = call()
  await decide('approve')
  const { requestState } = (await first).body.result
  const again = { requestState, inputResponses: { sure: { action: 'accept' } } }
  expect((await call(again)).body.result).toMatchObject({ content: [{ text: 'sure' }] })
  expect((await gateway.calls())[0]).toMatchObject({ outcome: 'ok', decidedBy: 'alice@example.com' })
  const replayed = call(again)
  await decide('deny')
  expect((await replayed).body.result).toMatchObject({ isError: true })
  expect(gateway.dtma.seen).toHaveLength(2)
})

test('M06 a client of an earlier revision is asked by the tool on the stream of a call for which one person was asked once', async () => {
  await setAsk('asks')
  const session = `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}.ef`
  const headers = {
    authorization: `Bearer ${gateway.secret}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-session-id': session,
  }
  const send = (body: object) => fetch(gateway.url, { method: 'POST', headers, body: JSON.stringify(body) })
  const call = send(toolCall('demo__asks'))
  await decide('approve')
  const reader = (await call).body!.pipeThrough(new TextDecoderStream()).getReader()
  const asked = (await reader.read()).value!
  const { id } = JSON.parse(/^data: (.*)$/m.exec(asked)![1]!) as { id: string }
  await send({ jsonrpc: '2.0', id, result: { action: 'accept', content: {} } })
  expect((await reader.read()).value).toContain('"text":"sure"')
  expect(await waiting()).toEqual([])
  const records = await gateway.calls()
  expect(records.map(({ decidedBy }) => decidedBy)).toEqual(['alice@example.com', 'alice@example.com'])
})

test('a client that gave a progress token hears that the call is alive while it waits', async () => {
  const answer = await fetch(gateway.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${gateway.secret}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(
      rpc('tools/call', { name: 'demo__echo', arguments: { text: 'x' }, _meta: { progressToken: 'p' } }),
    ),
  })
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  const { value } = await reader.read()
  expect(value).toContain('"method":"notifications/progress"')
  expect(value).toContain('"progressToken":"p"')
  expect(value).toContain('Waits for a person')
  await decide('approve')
  let rest = ''
  for (;;) {
    const { value: more, done } = await reader.read()
    if (done) break
    rest += more
  }
  expect(rest).toContain('"text":"x"')
})

test('the same answer twice is one answer, another one comes too late', async () => {
  const call = echo()
  const { id } = await question()
  const say = (decision: 'approve' | 'deny', actor: string) =>
    account((tx) => decideAbout(tx, id, { decision, always: false, reason: '', actor }))
  const both = await Promise.all([say('approve', 'alice'), say('approve', 'bob')])
  expect(both.map(({ isNew }) => isNew).toSorted()).toEqual([false, true])
  const [first] = both.filter(({ isNew }) => isNew)
  expect(both.map(({ row }) => row.decidedBy)).toEqual([first!.row.decidedBy, first!.row.decidedBy])
  await expect(say('deny', 'carol')).rejects.toMatchObject({ code: 'approval-settled' })
  expect((await call).body.result['content']).toBeDefined()
  expect(gateway.dtma.seen).toHaveLength(1)
})

test('always: what waits for the same is made by the same word, and nobody is asked again', async () => {
  const calls = [echo('1'), echo('2'), echo('3')]
  await vi.waitFor(async () => expect(await waiting()).toHaveLength(3))
  await decide('approve', { always: true })
  for (const call of calls) expect((await call).body.result['content']).toBeDefined()
  expect(await waiting()).toEqual([])
  await vi.waitFor(async () => expect((await echo('4')).body.result['content']).toBeDefined())
  expect(await waiting()).toEqual([])
})

test('a pattern asks for what it fits, but not for what nobody is to be asked for', async () => {
  await setAsk('echo', null)
  await account((tx) =>
    tx
      .update(toolbeltItems)
      .set({ askPatterns: ['e*'] })
      .where(eq(toolbeltItems.id, gateway.demo.itemId)),
  )
  const call = echo()
  await decide('approve', { always: true })
  await call
  await vi.waitFor(async () => {
    const next = await echo()
    expect(next.body.result['content']).toBeDefined()
  })
  expect((await post(gateway, toolCall('demo__fails'))).body.result).toMatchObject({ isError: true })
  expect(await waiting()).toEqual([])
})

const SWITCHES: Readonly<Record<string, (tx: Tx, g: TestGateway) => Promise<unknown>>> = {
  'the agent': (tx, g) => tx.update(agents).set({ enabled: false }).where(eq(agents.id, g.agentId)),
  'the account': (tx) => tx.insert(callSettings).values({ accountId: 'account_1', enabled: false }),
  'the tool instance': (tx, g) =>
    tx.update(instances).set({ desired: 'stopped' }).where(eq(instances.id, g.demo.instanceId)),
  'the permission': (tx, g) =>
    tx.delete(capabilityPermissions).where(eq(capabilityPermissions.toolbeltItemId, g.demo.itemId)),
  'M07 the server describes it otherwise now: it': (tx, g) =>
    tx
      .update(instances)
      .set({ capabilities: FAKE_CAPABILITIES.map((one) => ({ ...one, digest: `${one.digest}, but worse` })) })
      .where(eq(instances.id, g.demo.instanceId)),
}
test.each(Object.entries(SWITCHES))(
  '%s is switched off: what waits ends, and can be approved no more',
  async (_, off) => {
    const call = echo()
    const { id } = await question()
    await account((tx) => off(tx, gateway))
    expect((await call).body.error).toMatchObject({ code: 403, data: { code: 'call-stopped' } })
    await vi.waitFor(async () => expect((await settled())[0]?.row).toMatchObject({ id, state: 'withdrawn' }))
    await expect(
      account((tx) => decideAbout(tx, id, { decision: 'approve', always: false, reason: '', actor: 'bob' })),
    ).rejects.toMatchObject({ code: 'approval-settled' })
    expect(gateway.dtma.seen).toEqual([])
    expect((await gateway.calls())[0]).toMatchObject({ outcome: 'cancelled', code: 'call-stopped' })
  },
)

test('what was approved is what is called: rights that went in the same moment are looked at again', async () => {
  const deaf = await openTestGateway({ timeoutMs: 60_000, announced: false })
  try {
    await deaf.store.system((tx) => tx.update(capabilityPermissions).set({ ask: true }))
    const call = post(deaf, toolCall('demo__echo', { text: 'x' }))
    await vi.waitFor(async () => {
      const [found] = await deaf.store.system((tx) => tx.select().from(approvals))
      expect(found).toBeDefined()
    })
    await deaf.store.system(async (tx) => {
      await tx.delete(capabilityPermissions)
      await tx.update(approvals).set({ state: 'approved', decidedBy: 'alice' })
    })
    expect((await call).body.error.data?.['code']).toBe('call-stopped')
    expect(deaf.dtma.seen).toEqual([])
  } finally {
    await deaf.close()
  }
})

test('a decision whose announcement was lost is found all the same', async () => {
  const deaf = await openTestGateway({ timeoutMs: 60_000, announced: false })
  try {
    await deaf.store.system((tx) => tx.update(capabilityPermissions).set({ ask: true }))
    const call = post(deaf, toolCall('demo__echo', { text: 'x' }))
    await vi.waitFor(async () => {
      const changed = await deaf.store.system((tx) =>
        tx.update(approvals).set({ state: 'approved', decidedBy: 'alice' }).returning(),
      )
      expect(changed).toHaveLength(1)
    })
    expect((await call).body.result['content']).toBeDefined()
  } finally {
    await deaf.close()
  }
})

test('a client that leaves takes its question with it', async () => {
  const gone = new AbortController()
  const call = fetch(gateway.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(toolCall('demo__echo', { text: 'x' })),
    signal: gone.signal,
  })
  const { id } = await question()
  gone.abort()
  await expect(call).rejects.toThrow()
  await vi.waitFor(async () =>
    expect((await settled())[0]?.row).toMatchObject({
      id,
      state: 'withdrawn',
      reason: 'The agent took the call back.',
      arguments: null,
    }),
  )
  await vi.waitFor(async () => expect((await gateway.calls())[0]).toMatchObject({ outcome: 'cancelled' }))
})

test('no more than ten calls of an agent wait at once; the next is told to come again', async () => {
  const calls = Array.from({ length: 10 }, (_, n) => post(gateway, toolCall('demo__echo', { text: `${n}` }, n)))
  await vi.waitFor(async () => expect(await waiting()).toHaveLength(10))
  const { body } = await echo('one too many')
  expect(body.error).toMatchObject({ code: 429, data: { code: 'rate-limited', retryable: true } })
  expect(await waiting()).toHaveLength(10)
  // And they hold no place that other calls need.
  expect((await post(gateway, toolCall('demo__fails'))).body.result).toMatchObject({ isError: true })
  await decide('approve', { always: true })
  await Promise.all(calls)
})

test('what a control plane left waiting that was killed expires as such, and cannot be approved', async () => {
  const call = echo()
  const row = await question()
  const left = {
    ...row,
    id: 'appr_left000000000000',
    callId: 'call_left00000000000',
    owner: 'a process that is no more',
  }
  const silent = { ...left, heldUntil: new Date(Date.now() - 1_000) }
  // Either its life sign is old, or its call is on record as interrupted already.
  const recorded = { ...left, id: 'appr_left000000000001', heldUntil: new Date(Date.now() + 60_000) }
  await gateway.store.system(async (tx) => {
    await tx.insert(approvals).values([silent, recorded])
    await tx.insert(calls).values({
      id: left.callId,
      accountId: 'account_1',
      agentId: 'a',
      agentName: 'a',
      capability: 'echo',
      outcome: 'failed',
      code: 'interrupted',
      startedAt: new Date(),
      durationMs: 0,
      argumentDigest: '',
      argumentBytes: 0,
    })
  })
  expect((await waiting()).map((one) => one.row.id)).toEqual([row.id])
  for (const { id } of [silent, recorded])
    await expect(
      account((tx) => decideAbout(tx, id, { decision: 'approve', always: false, reason: '', actor: 'bob' })),
    ).rejects.toMatchObject({ code: 'approval-settled' })
  await decide('approve')
  expect((await call).body.result['content']).toBeDefined()
})
