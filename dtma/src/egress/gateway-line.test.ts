import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SOCKET_NAME } from './gateway.script.ts'
import { type GatewayLine, openGatewayLine } from './gateway-line.ts'

let state: string
let line: GatewayLine
const limit = () => AbortSignal.timeout(5_000)
const policy = { routes: [], refused: [] }

beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'dtma-line-'))
  line = await openGatewayLine(state)
})
afterEach(() => {
  line.close()
  rmSync(state, { recursive: true })
})

/** A connection that belongs to an order; without more it says only that. */
function dial(order: number, more = ''): Socket {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(order)
  const socket = connect(join(line.directory, SOCKET_NAME))
  socket.on('error', () => undefined).write(Buffer.concat([head, Buffer.from(more)]))
  return socket
}

/** A gateway that does this with each order. */
async function gateway(obey: (order: { order: number; host?: string }, control: Socket) => void): Promise<Socket> {
  const control = dial(0)
  createInterface(control).on('line', (text) => obey(JSON.parse(text), control))
  await line.ready(limit())
  return control
}
const answer = (control: Socket, answer: object) => void control.write(`${JSON.stringify(answer)}\n`)
const isClosed = async (socket: Socket) => void (await once(socket.resume(), 'close'))

test('a policy is applied when the gateway says so, and not when it says why it is not', async () => {
  await gateway(({ order }, control) => answer(control, order === 1 ? { order } : { order, failure: 'no port' }))
  await line.apply(policy, limit())
  await expect(line.apply(policy, limit())).rejects.toThrow('no port')
})

test('what was ordered arrives as a connection, with whatever the server said at once', async () => {
  await gateway(({ order, host }) => void dial(order, `I am ${host}`))
  const connections = await Promise.all(['10.0.0.2', '10.0.0.3'].map((host) => line.connect(host, 80)))
  const said = connections.map(async (connection) => String((await once(connection, 'data'))[0]))
  expect(await Promise.all(said)).toEqual(['I am 10.0.0.2', 'I am 10.0.0.3'])
})

test('a server that is not there refuses as a socket does', async () => {
  await gateway(({ order }, control) => answer(control, { order, failure: 'connect EHOSTUNREACH' }))
  await expect(line.connect('10.0.0.2', 80)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('when the gateway is gone everybody who waits is told, and so is who comes later', async () => {
  const control = await gateway((_, control) => control.destroy())
  await expect(line.connect('10.0.0.2', 80)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await line.closed
  expect(control.destroyed).toBe(true)
  await expect(line.connect('10.0.0.2', 80)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(line.apply(policy, limit())).rejects.toThrow('gone')
})

test('nobody waits for a gateway without end, nor for its answer', async () => {
  await expect(line.ready(AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'TimeoutError' })
  const control = dial(0)
  await expect.poll(() => line.apply(policy, AbortSignal.timeout(20)).catch(({ name }) => name)).toBe('TimeoutError')
  control.destroy()
})

test('there is one gateway: a second one is shown out, and so is a connection that nobody ordered', async () => {
  await gateway(({ order }, control) => answer(control, { order }))
  await Promise.all([isClosed(dial(0)), isClosed(dial(77))])
  await line.apply(policy, limit())
})

test.each(['{]', 'null', '[]', '{"order":"1"', '{"order":{}}', '7'])(
  '%s is no answer to anything',
  async (nonsense) => {
    await gateway(({ order }, control) => {
      control.write(`${nonsense}\n`)
      answer(control, { order })
    })
    await line.apply(policy, limit())
  },
)

test('an answer without end ends the line', async () => {
  await gateway((_, control) => void control.write('x'.repeat(10_000)))
  await expect(line.apply(policy, limit())).rejects.toThrow('gone')
  await line.closed
})

test('the gateway may enter its directory and dial; around it nobody else of the machine may, and nothing is left behind', async () => {
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
  expect(mode(join(line.directory, '..'))).toBe('700')
  expect(mode(line.directory)).toBe('711')
  expect(mode(join(line.directory, SOCKET_NAME))).toBe('666')
  line.close()
  expect(readdirSync(join(line.directory, '..'))).toEqual([])
})

test('what an earlier life has left is cleared away', async () => {
  const later = await openGatewayLine(state)
  expect(readdirSync(join(later.directory, '..'))).toHaveLength(1)
  later.close()
})
