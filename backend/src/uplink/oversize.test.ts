import { createServer, type Server, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../store/connect.ts'
import { openTestStore } from '../store/testing.ts'
import { beatOf, openUplink } from './uplink.testing.ts'

let store: Store
let server: Server
let bearer: string
let id: string
let uplink: ReturnType<typeof openUplink>
beforeAll(async () => {
  store = await openTestStore()
  uplink = openUplink(store)
  const joined = await uplink.joined()
  bearer = joined.bearer
  id = joined.id
  server = createServer(getRequestListener(uplink.app.fetch))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await store[Symbol.asyncDispose]()
})

/** Sends a body piece by piece, without saying how long it will be. @returns the status, or that it was cut off. */
function streamed(pieces: Iterable<string>, headers: Record<string, string> = {}): Promise<number | 'cut'> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve) => {
    const options = { port, method: 'POST', path: '/dtma/heartbeat', agent: false as const }
    const asked = send({
      ...options,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers },
    })
    asked.once('response', (answer) => {
      answer.resume()
      resolve(answer.statusCode!)
    })
    asked.once('error', () => resolve('cut'))
    const iterator = pieces[Symbol.iterator]()
    const pump = (): void => {
      const { done, value } = iterator.next()
      if (done) return void asked.end()
      if (asked.destroyed) return
      if (asked.write(value)) setImmediate(pump)
      else asked.once('drain', pump)
    }
    pump()
  })
}

function* megabytes(count: number): Generator<string> {
  for (let n = 0; n < count; n += 1) yield ' '.repeat(1 << 20)
}

test('L08 a report of 50 MB is refused as soon as it is too long, and memory does not grow with it', async () => {
  await streamed(megabytes(2)) // what is made once is made
  const before = process.memoryUsage().rss
  const answers = await Promise.all(Array.from({ length: 4 }, () => streamed(megabytes(50))))
  for (const answer of answers) expect([413, 'cut']).toContain(answer)
  expect(await streamed([], { 'content-length': String(50 << 20) })).toBe(413) // said beforehand, refused beforehand
  expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20)
})

test('L08 a hundred thousand tools, a depth of ten thousand, and numbers that are none are refused; the toolbox lives on', async () => {
  const many = JSON.stringify({ ...beatOf('r', 1), tools: Array.from({ length: 100_000 }, () => ({})) })
  const deep = `{"runId":"r","seq":1,"docker":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
  const shallow = JSON.stringify({ ...beatOf('r', 1), tools: Array.from({ length: 1_001 }, () => ({})) })
  const odd = JSON.stringify(beatOf('r', 1)).replace('"seq":1', '"seq":1e999')
  expect(await Promise.all([many, deep, shallow, odd].map((text) => streamed([text])))).toEqual([
    expect.toSatisfy((status: unknown) => [400, 413].includes(status as number)),
    400,
    400,
    400,
  ])
  expect(await streamed([JSON.stringify(beatOf('r', 1))])).toBe(200)
  expect((await uplink.row(id)).heartbeatSeq).toBe(1)
})
