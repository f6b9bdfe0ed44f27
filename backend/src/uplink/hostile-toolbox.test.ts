import { createServer, type Http2Server } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { createClient, followToolLogs, getStatus, LogLine, readEventStream } from '@agentopia/dtma/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readEvents } from '../gateway/upstream-body.ts'
import { systemClock } from '../reconcile/clock.ts'
import { openSession } from './dtma-session.ts'

// A toolbox whose owner has replaced DTMA by something that means harm to whoever asks it.

let server: Http2Server
let socket: Socket
let sent = 0
let status = 200
beforeEach(async () => {
  sent = 0
  status = 200
  server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'text/event-stream' })
    response.write('data: "')
    const piece = 'x'.repeat(1 << 20)
    const pump = () => {
      while (sent < 200 << 20) {
        sent += piece.length
        if (!response.write(piece)) return void response.once('drain', pump)
      }
      response.end('"')
    }
    pump()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
})
afterEach(() => {
  socket.destroy()
  server.close()
})

const clientOf = () => createClient({ baseUrl: 'http://dtma', fetch: openSession('road', socket, systemClock).fetch })

test.each([200, 500])('an answer without an end is given up, whatever status it has (%s)', async (answered) => {
  status = answered
  await expect(clientOf().call(getStatus, {})).rejects.toThrow()
  expect(sent).toBeLessThan(64 << 20)
})

test('an event without an end is given up', async () => {
  const response = await clientOf().open(followToolLogs, { params: { name: 'a' }, query: { follow: 'true', tail: 1 } })
  await expect(readEventStream(response, LogLine).next()).rejects.toThrow()
  expect(sent).toBeLessThan(64 << 20)
})

test('a CR, for which a parser would look in all of what came at each of its lines, is not read', async () => {
  const line = { at: '2026-11-27T00:00:00Z', stream: 'stdout', line: 'x' } as const
  const text = `data: ${JSON.stringify(line).replace('{', '{\r')}\r\nid: 1\r\n\r\n`
  const events = await Readable.from(readEventStream(new Response(text), LogLine)).toArray()
  expect(events).toEqual([{ id: '1', data: line }])
  expect(await Readable.from(readEvents(Readable.from([Buffer.from(text)]))).toArray()).toEqual([JSON.stringify(line)])
})
