import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { agents } from '../store/schema/index.ts'
import { openTestGateway, post, type TestGateway, toolCall } from './gateway.testing.ts'

// What an agent sees of its limits, and what is on record of it.

let gateway: TestGateway
beforeAll(async () => {
  gateway = await openTestGateway()
})
afterAll(() => gateway.close())

const limit = async (limits: object) => {
  await gateway.store.system((tx) => tx.update(agents).set({ limits }).where(eq(agents.id, gateway.agentId)))
}

test('T09 too many calls: an error that says when to come again, a record, and nothing sent', async () => {
  await limit({ perDay: 3 })
  const codes: unknown[] = []
  await vi.waitFor(async () => {
    const { body } = await post(gateway, toolCall('demo__echo', { text: 'x' }))
    codes.push(body.error?.data?.['code'] ?? 'ok')
    expect(body.error).toMatchObject({
      code: 429,
      data: { code: 'rate-limited', retryable: true, retryAfterSeconds: expect.any(Number) },
    })
  })
  const seen = gateway.dtma.seen.length
  expect((await post(gateway, toolCall('demo__echo'))).body.error.data?.['retryAfterSeconds']).toBeLessThanOrEqual(
    86_400,
  )
  expect(gateway.dtma.seen).toHaveLength(seen)
  expect((await gateway.calls())[0]).toMatchObject({ outcome: 'denied', code: 'rate-limited', capability: 'echo' })
  await limit({})
  await vi.waitFor(async () => expect((await post(gateway, toolCall('demo__echo'))).body.result).toBeDefined())
})

test('T09 a storm of calls that are refused leaves a bounded record, and keeps no permitted call out', async () => {
  const stormy = await openTestGateway({ usualCalls: 20 })
  try {
    const names = ['demo__never_granted', 'nobody__echo', 'other__slow']
    const began = Date.now()
    const storm = await Promise.all(
      Array.from({ length: 300 }, (_, n) => post(stormy, toolCall(names[n % names.length]!, { text: 'x' }))),
    )
    const minutes = 1 + Math.floor(Date.now() / 60_000) - Math.floor(began / 60_000)
    const records = await stormy.calls()
    expect(records.length).toBeLessThanOrEqual(minutes * 21)
    expect(records.filter(({ code }) => code === 'rate-limited').length).toBeGreaterThanOrEqual(1)
    const refused = storm.filter(({ body }) => body.error.code === 429)
    expect(refused.length).toBeGreaterThanOrEqual(300 - minutes * 20)
    expect(refused[0]!.body.error.data).toMatchObject({
      code: 'rate-limited',
      retryable: true,
      retryAfterSeconds: expect.any(Number),
    })
    expect(stormy.dtma.seen).toEqual([])
    expect((await post(stormy, toolCall('demo__echo', { text: 'x' }))).body.result).toBeDefined()
  } finally {
    await stormy.close()
  }
})

test('what is too long for the agent is refused: arguments before the call, an answer after it', async () => {
  await limit({ argumentBytes: 100, resultBytes: 1_000 })
  const long = () => post(gateway, toolCall('demo__echo', { text: 'x'.repeat(200) }))
  await vi.waitFor(async () => expect((await long()).body.error?.data).toMatchObject({ code: 'payload-too-large' }))
  expect((await gateway.calls())[0]).toMatchObject({ outcome: 'denied', code: 'payload-too-large' })
  const { body } = await post(gateway, toolCall('demo__huge', { bytes: 2_000 }))
  expect(body.error.data).toMatchObject({ code: 'result-too-large' })
  const [record] = await gateway.calls()
  expect(record).toMatchObject({ outcome: 'failed', code: 'result-too-large' })
  expect(record?.resultBytes).toBeGreaterThan(2_000)
  expect((await post(gateway, toolCall('demo__echo', { text: 'short' }))).body.result).toBeDefined()
  await limit({})
})

test('an instance whose connection breaks is left alone; the other one is called as ever', async () => {
  const broken = await openTestGateway()
  try {
    const codes: unknown[] = []
    for (let n = 0; n < 6; n += 1) codes.push((await post(broken, toolCall('demo__dies'))).body.error.data?.['code'])
    expect(codes).toEqual([...Array(5).fill('tool-failed'), 'circuit-open'])
    expect((await broken.calls())[0]).toMatchObject({ outcome: 'denied', code: 'circuit-open' })
    expect((await post(broken, toolCall('other__echo', { text: 'x' }))).body.result).toBeDefined()
  } finally {
    await broken.close()
  }
})

test('a record says by which door, which version, and digests of what went in and came out', async () => {
  await post(gateway, toolCall('demo__echo', { text: 'x' }))
  const digest = expect.stringMatching(/^[0-9a-f]{64}$/)
  expect((await gateway.calls())[0]).toMatchObject({
    via: 'mcp-legacy',
    instanceGeneration: 1,
    specDigest: digest,
    capabilityDigest: 'echo', // as the fake DTMA reports it
    argumentDigest: digest,
    resultDigest: digest,
  })
})

test.each([
  ['a line break', 'x\n{"level":60,"msg":"forged"}'],
  ['colours', '\u001b[31mred\u001b[0m'],
  ['JSON', '","outcome":"ok","x":"'],
  ['a cursor that moves', 'a\rb\u0008c'],
  ['letters that run the other way', 'a\u202eb'],
  ['nothing at all', 'a\u0000b'],
])('K10 a name with %s is recorded without what could be taken for more than a name', async (_, name) => {
  await post(gateway, toolCall(name))
  const [record] = await gateway.calls()
  expect(record?.outcome).toBe('denied')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  expect(record?.capability).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
})
