import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { CHANGES } from '../store/notifications.ts'

const PEOPLE = 4
const EACH = 50
const HINTS = 10_000
/** Bytes that may wait for one reader in this process. */
const MOST_HELD = 128 * 1_024

let plane: TestControlPlane
const held = new Set<Socket>()
const server = createServer((request, response) => plane.listener(request, response))
server.on('connection', (socket) => held.add(socket))
beforeAll(async () => {
  plane = await openTestControlPlane()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await plane.close()
})

/** Follows what changes, and reads nothing until it is told to. */
async function follow(cookie: string): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`GET /api/events HTTP/1.1\r\nhost: localhost:3000\r\ncookie: ${cookie}\r\n\r\n`)
  await new Promise<void>((resolve) => socket.once('readable', resolve))
  return socket
}

const announce = (from: number, to: number) =>
  plane.store.system((tx) =>
    tx.execute(
      sql`select pg_notify(${CHANGES}, jsonb_build_object('noun', 'activity', 'account', 'account_slow', 'id', 'act_' || n)::text) from generate_series(${from}::int, ${to}::int) as n`,
    ),
  )

async function readUntil(socket: Socket, words: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (words.test(text)) return text
  }
  throw new Error('the stream ended')
}

test('R12 two hundred people who follow and never read keep nobody else waiting, and hold little; who reads on hears that he missed something', async () => {
  const cookies: string[] = []
  for (let n = 0; n < PEOPLE; n += 1) cookies.push((await signedIn(plane, 'account_slow', 'viewer'))['cookie']!)
  const slow: Socket[] = []
  for (const cookie of cookies) for (let n = 0; n < EACH; n += 1) slow.push(await follow(cookie))

  for (let n = 0; n < HINTS; n += 2_000) await announce(n + 1, n + 2_000)
  const live = await follow(cookies[0]!)
  await announce(HINTS + 1, HINTS + 1)
  expect(await readUntil(live, new RegExp(`act_${HINTS + 1}"`))).toContain('data: ')
  expect((await plane.request('GET', '/api/me', { cookie: cookies[1]! })).status).toBe(200)
  expect(held.size).toBe(PEOPLE * EACH + 1)
  expect([...held].filter(({ writableLength }) => writableLength > MOST_HELD)).toEqual([])

  const late = await readUntil(slow[0]!, /"everything"/)
  expect(late.match(/act_/g)?.length ?? 0).toBeLessThan(HINTS / 2)
  for (const socket of [...slow, live]) socket.destroy()
}, 60_000)
