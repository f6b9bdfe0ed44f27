import { expect, test, vi } from 'vitest'
import type { JsonRpcAnswer } from '../contract/json-rpc.ts'
import { MODERN, UNSUPPORTED_VERSION } from '../contract/mcp.ts'
import { discover } from './handshake.ts'
import type { Upstream } from './upstream.ts'

const { signal } = new AbortController()
const FOUND = { result: { supportedVersions: [MODERN], capabilities: {} } }
const refused = (code: number, data: unknown): JsonRpcAnswer => ({ error: { code, message: 'no', data } })

/** A server that answers so, one answer after the other. */
function answering(...answers: readonly JsonRpcAnswer[]) {
  const left = [...answers]
  const request = vi.fn(async () => left.shift()!)
  return { request, upstream: { request } as unknown as Upstream }
}

test('a server that refuses the modern revision and names it is asked once more', async () => {
  const { request, upstream } = answering(refused(UNSUPPORTED_VERSION, { supported: [MODERN] }), FOUND)
  expect(await discover(upstream, signal)).toMatchObject({ protocolVersion: MODERN })
  expect(request).toHaveBeenCalledTimes(2)
})

test('but not for ever', async () => {
  const again = refused(UNSUPPORTED_VERSION, { supported: [MODERN] })
  const { request, upstream } = answering(again, again, FOUND)
  expect(await discover(upstream, signal)).toBeUndefined()
  expect(request).toHaveBeenCalledTimes(2)
})

test.each([
  ['names an earlier one', refused(UNSUPPORTED_VERSION, { supported: ['2025-11-25'] })],
  ['names none', refused(UNSUPPORTED_VERSION, undefined)],
  ['names nonsense', refused(UNSUPPORTED_VERSION, { supported: MODERN })],
  ['does not know the question', refused(-32_601, { supported: [MODERN] })],
])('a server that refuses it and %s is greeted the old way', async (_, answer) => {
  const { request, upstream } = answering(answer, FOUND)
  expect(await discover(upstream, signal)).toBeUndefined()
  expect(request).toHaveBeenCalledOnce()
})
