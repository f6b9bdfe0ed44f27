import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { answerTo } from './mcp-answer.ts'

/** What a client gets when a call is answered so. */
async function answered(act: (response: ServerResponse) => Promise<void>): Promise<{ type: string; text: string }> {
  const server = createServer((_, response) => void act(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    return { type: answer.headers.get('content-type')!, text: await answer.text() }
  } finally {
    server.close()
  }
}

const notification = { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } } as const

test('an answer alone is JSON', async () => {
  const { type, text } = await answered(async (response) =>
    answerTo(response, 7, { streams: true }).end({ result: {} }),
  )
  expect([type, JSON.parse(text)]).toEqual(['application/json', { jsonrpc: '2.0', id: 7, result: {} }])
})

test('what was written by the tool goes on as it is, in one event when there is a stream', async () => {
  const written = '{ "jsonrpc":"2.0",\n "id":7, "result":{} }'
  const alone = await answered(async (response) => answerTo(response, 7, { streams: true }).endAsWritten('{"a":  1}'))
  expect(alone.text).toBe('{"a":  1}')
  const { type, text } = await answered(async (response) => {
    const answer = answerTo(response, 7, { streams: true })
    answer.notify(notification)
    answer.endAsWritten(written)
  })
  expect(type).toBe('text/event-stream')
  expect(text).toBe(
    `event: message\ndata: ${JSON.stringify(notification)}\n\nevent: message\ndata: {"jsonrpc":"2.0","id":7,"result":{}}\n\n`,
  )
})

test('a long call shows that it is alive, to a client that takes a stream', async () => {
  const slow = (streams: boolean) =>
    answered(async (response) => {
      const write = vi.spyOn(response, 'write')
      const answer = answerTo(response, 7, { streams, stillHereMs: 20 })
      if (streams) await vi.waitFor(() => expect(write.mock.calls.length).toBeGreaterThanOrEqual(2))
      else await sleep(70)
      answer.end({ result: {} })
    })
  expect((await slow(true)).text).toMatch(/^(: still here\n\n){2,}event: message\ndata: \{.*\}\n\n$/)
  expect((await slow(false)).type).toBe('application/json')
})

test('a client that does not read is told no more than it can hold, and gets its answer when it reads', async () => {
  const { text } = await answered(async (response) => {
    const answer = answerTo(response, 7, { streams: true })
    const long = { ...notification, params: { text: 'x'.repeat(100_000) } }
    for (let n = 0; n < 1_000; n += 1) answer.notify(long)
    answer.end({ result: { done: true } })
  })
  expect(text.length).toBeLessThan(10_000_000)
  expect(text).toContain('"done":true')
})

test('after the client left nothing is written', async () => {
  await expect(
    answered(async (response) => {
      const answer = answerTo(response, 7, { streams: true })
      response.destroy()
      await sleep(10)
      answer.notify(notification)
      answer.end({ result: {} })
    }),
  ).rejects.toThrow()
})
