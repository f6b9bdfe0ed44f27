import { MODERN } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { agents } from '../store/schema/index.ts'
import { openTestGateway, type Posted, post, rpc, type TestGateway } from './gateway.testing.ts'
import { IDEMPOTENCY_KEY } from './idempotency-key.ts'

// A call that is asked for twice under one key is made once.

let gateway: TestGateway
beforeAll(async () => {
  gateway = await openTestGateway()
})
afterAll(() => gateway.close())

let keys = 0
const newKey = () => `key ${++keys}`
let ids = 0

interface Asked {
  readonly name?: string
  readonly args?: object
  readonly header?: string | undefined
  readonly meta?: unknown
  readonly signal?: AbortSignal
}

/** Each with another id, as a client that begins anew has it. */
const ask = ({ name = 'demo__echo', args = { text: 'x' }, header, meta }: Asked): Promise<Posted> =>
  post(
    gateway,
    rpc(
      'tools/call',
      { name, arguments: args, ...(meta === undefined ? {} : { _meta: { [IDEMPOTENCY_KEY]: meta } }) },
      ++ids,
    ),
    header === undefined ? {} : { 'idempotency-key': header },
  )
const codeOf = ({ body }: Posted) => body.error?.data?.['code'] ?? 'answered'
const reached = (text: string) =>
  gateway.dtma.seen.filter(({ request }) => JSON.stringify(request.params?.['arguments']).includes(text)).length

test('M21 the same call under the same key is one call and one answer, by header or by _meta', async () => {
  const key = newKey()
  const args = { text: 'once' }
  const all = [
    await ask({ args, header: key }),
    await ask({ args, meta: key }),
    await ask({ args, header: key, meta: key }),
  ]
  for (const { body } of all) expect(body.result).toEqual({ content: [{ type: 'text', text: 'once' }] })
  expect(all.map(({ body }) => body.id)).toEqual([ids - 2, ids - 1, ids])
  expect(reached('once')).toBe(1)
  expect(JSON.stringify(gateway.dtma.seen)).not.toContain(key)
})

test('M21 each repetition is on record as such, and the call itself as ever', async () => {
  const header = newKey()
  await ask({ header })
  await ask({ header })
  await ask({ header, args: { text: 'another' } })
  const [refused, repeated, first] = await gateway.calls()
  expect(first).toMatchObject({ outcome: 'ok', capability: 'echo', resultDigest: expect.any(String) })
  expect(first?.code).toBeUndefined()
  expect(repeated).toMatchObject({
    outcome: 'ok',
    code: 'repeated',
    capability: 'echo',
    resultBytes: expect.any(Number),
  })
  expect(refused).toMatchObject({ outcome: 'denied', code: 'idempotency-key-reused', capability: 'echo' })
})

test('M21 without a key each is a call', async () => {
  for (let n = 0; n < 3; n += 1) await ask({ args: { text: 'each time' } })
  expect(reached('each time')).toBe(3)
})

test('M21 the same key with another request is refused, and nothing is sent', async () => {
  const header = newKey()
  await ask({ header })
  const before = gateway.dtma.seen.length
  for (const other of [{ args: { text: 'y' } }, { name: 'other__echo' }, { name: 'demo__fails' }]) {
    const { body } = await ask({ header, ...other })
    expect(body.error).toMatchObject({ code: 422, data: { code: 'idempotency-key-reused', retryable: false } })
  }
  expect(gateway.dtma.seen).toHaveLength(before)
})

test('M21 of five at once one is made; the others hear that it is under way, and its answer later', async () => {
  const asked = { name: 'demo__slow', args: { ms: 400, text: 'at once' }, header: newKey() }
  const all = await Promise.all(Array.from({ length: 5 }, () => ask(asked)))
  const codes = all.map(codeOf)
  expect(codes.filter((code) => code === 'answered').length).toBeGreaterThanOrEqual(1)
  for (const { body } of all.filter((each) => codeOf(each) !== 'answered'))
    expect(body.error).toMatchObject({
      code: 409,
      data: { code: 'call-under-way', retryable: true, retryAfterSeconds: 1 },
    })
  expect(codes).toContain('call-under-way')
  expect(codeOf(await ask(asked))).toBe('answered')
  expect(reached('at once')).toBe(1)
})

test('M21 a client that lost its connection hears that the call was made, and it is not made again', async () => {
  const left = new AbortController()
  const header = newKey()
  const asked = { name: 'demo__slow', args: { ms: 60_000, text: 'left' }, header }
  const answer = fetch(gateway.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${gateway.secret}`,
      'content-type': 'application/json',
      'idempotency-key': header,
    },
    body: JSON.stringify(rpc('tools/call', { name: asked.name, arguments: asked.args }, ++ids)),
    signal: left.signal,
  })
  const lost = expect(answer).rejects.toThrow()
  await vi.waitFor(() => expect(reached('left')).toBe(1))
  left.abort()
  await lost
  await vi.waitFor(async () => expect(codeOf(await ask(asked))).toBe('call-made-before'))
  expect(reached('left')).toBe(1)
})

test('M21 a failure that may have done the work is the answer from then on', async () => {
  const asked = { name: 'demo__dies', args: { text: 'died' }, header: newKey() }
  expect([codeOf(await ask(asked)), codeOf(await ask(asked))]).toEqual(['tool-failed', 'tool-failed'])
  expect(reached('died')).toBe(1)
  const failing = { name: 'demo__fails', args: { text: 'failed' }, header: newKey() }
  const [first, again] = [await ask(failing), await ask(failing)]
  expect(first.body.result).toMatchObject({ isError: true })
  expect(again.body.result).toEqual(first.body.result)
  const refusing = { name: 'demo__refuses', args: { text: 'refused' }, header: newKey() }
  for (const { body } of [await ask(refusing), await ask(refusing)])
    expect(body.error).toEqual({ code: -32_602, message: 'text is missing' })
  expect([reached('failed'), reached('refused')]).toEqual([1, 1])
})

test.each<[string, Pick<Asked, 'header' | 'meta'>]>([
  ['empty', { meta: '' }],
  ['too long', { header: 'x'.repeat(256) }],
  ['no text', { meta: 7 }],
  ['null', { meta: null }],
  ['with a control character', { meta: 'a\u0000b' }],
  ['with half a character', { meta: 'a\ud800' }],
  ['one in the header and another in _meta', { header: 'one', meta: 'other' }],
])('M21 a key that is %s is refused, and nothing is sent', async (_, given) => {
  const before = gateway.dtma.seen.length
  const { body } = await ask(given)
  expect(body.error).toMatchObject({ code: 400, data: { code: 'invalid-request', retryable: false } })
  expect(gateway.dtma.seen).toHaveLength(before)
})

test('M21 an answer is not given again to an agent that may not call any more', async () => {
  const asked = { args: { text: 'not any more' }, header: newKey() }
  await ask(asked)
  const enable = (enabled: boolean) =>
    gateway.store.system((tx) => tx.update(agents).set({ enabled }).where(eq(agents.id, gateway.agentId)))
  await enable(false)
  await vi.waitFor(async () => expect((await ask(asked)).body.error).toMatchObject({ code: -32_602 }))
  await enable(true)
  await vi.waitFor(async () => expect(codeOf(await ask(asked))).toBe('answered'))
  expect(reached('not any more')).toBe(1)
})

test('M21 in the modern revision each round of a tool that asks is a request with a key of its own', async () => {
  const META = 'io.modelcontextprotocol/'
  const round = (key: string, more: object = {}) =>
    post(
      gateway,
      rpc(
        'tools/call',
        {
          name: 'demo__asks',
          arguments: { text: 'a round' },
          ...more,
          _meta: {
            [`${META}protocolVersion`]: MODERN,
            [`${META}clientCapabilities`]: { elicitation: { form: {} } },
            [IDEMPOTENCY_KEY]: key,
          },
        },
        ++ids,
      ),
      { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': 'demo__asks' },
    )
  const [one, two] = [newKey(), newKey()]
  const question = await round(one)
  expect(question.body.result).toMatchObject({ resultType: 'input_required' })
  expect((await round(one)).body.result).toEqual(question.body.result)
  expect(reached('a round')).toBe(1)
  const answered = {
    inputResponses: { sure: { action: 'accept' } },
    requestState: question.body.result['requestState'],
  }
  expect(codeOf(await round(one, answered))).toBe('idempotency-key-reused')
  const last = await round(two, answered)
  expect(last.body.result).toMatchObject({ resultType: 'complete', content: [{ text: 'sure' }] })
  expect((await round(two, answered)).body.result).toEqual(last.body.result)
  expect(reached('a round')).toBe(2)
})
