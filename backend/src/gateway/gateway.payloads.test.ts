import { afterEach, beforeEach, expect, test } from 'vitest'
import { findPayload, payloadOf, storePayloadRule } from '../payloads/payload.store.ts'
import type { KeptPayload } from '../payloads/payload.ts'
import { createSealer } from '../store/seal.ts'
import { openTestGateway, post, type TestGateway, toolCall } from './gateway.testing.ts'

const TOKEN = `ghp${'_'}${'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3'}`

let gateway: TestGateway
beforeEach(async () => {
  gateway = await openTestGateway()
})
afterEach(() => gateway.close())

const rule = (days: number, instanceId?: string) =>
  gateway.store.tenant('account_1', (tx) =>
    storePayloadRule(tx, 'account_1', instanceId, { days, mostBytes: 65_536, redact: ['$.arguments.note'] }),
  )

/** What is kept of the call before so many others. */
async function kept(before = 0): Promise<KeptPayload | undefined> {
  const call = (await gateway.calls())[before]!
  await gateway.payloads.flush()
  const row = await gateway.store.system((tx) => findPayload(tx, call.id, new Date()))
  return row && (JSON.parse(createSealer(Buffer.alloc(32, 7)).open(row.sealed, payloadOf(row))) as KeptPayload)
}

test('nothing of what is sent and answered is kept, unless the account wants it', async () => {
  await post(gateway, toolCall('demo__echo', { text: 'hello' }))
  expect(await kept()).toBeUndefined()
})

test('what is kept is what was sent and passed on: without secrets, and without what the rule names', async () => {
  await rule(7)
  await post(gateway, toolCall('demo__echo', { text: `use ${TOKEN}`, note: 'not kept' }))
  expect(await kept()).toEqual({
    arguments: { whole: true, json: { text: 'use [redacted: github-token]', note: '[redacted]' } },
    result: { whole: true, json: { content: [{ type: 'text', text: 'use [redacted: github-token]' }] } },
  })
})

test('of a call that fails it is kept how it failed; of a denied one nothing', async () => {
  await rule(7)
  await post(gateway, toolCall('demo__dies', { text: 'x' }))
  expect(await kept()).toMatchObject({ arguments: { json: { text: 'x' } }, error: { json: { code: 'tool-failed' } } })
  await post(gateway, toolCall('demo__never_granted', { text: 'x' }))
  expect(await kept()).toBeUndefined()
})

test('the rule of an instance stands above that of the account', async () => {
  await rule(7)
  await rule(0, gateway.demo.instanceId)
  await post(gateway, toolCall('demo__echo', { text: 'a' }))
  await post(gateway, toolCall('other__echo', { text: 'b' }))
  expect([await kept(1), await kept(0)]).toEqual([undefined, expect.objectContaining({ result: expect.anything() })])
})
