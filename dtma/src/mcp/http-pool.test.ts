import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createHttpPool, type HttpPool } from './http-pool.ts'

let server: Server | undefined
let pool: HttpPool | undefined
afterEach(() => {
  pool?.close()
  server?.close()
  server?.closeAllConnections()
})

/** @returns Sends the path and gives the body back; `connections`: how many there were. */
async function served(answer: RequestListener) {
  let connections = 0
  const mine = createServer(answer).on('connection', () => (connections += 1))
  server = mine
  await once(mine.listen(0, '127.0.0.1'), 'listening')
  const { port } = mine.address() as AddressInfo
  const connected = createHttpPool(async () => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  })
  pool = connected
  function begin(path: string) {
    const pieces: string[] = []
    const listener = { onHead() {}, onText: (piece: string) => void pieces.push(piece) }
    const exchange = connected.exchange(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`, listener)
    return { ...exchange, text: () => exchange.ended.then(() => pieces.join('')) }
  }
  return { begin, ask: (path: string) => begin(path).text(), connections: () => connections }
}

test('exchanges one after the other share a connection; as many as there are at once have one each, and their own answers', async () => {
  const held: (() => void)[] = []
  const { ask, connections } = await served(({ url }, response) => {
    if (url === '/1' || url === '/2') return void response.end(url)
    held.push(() => response.end(url))
    if (held.length === 8) for (const release of held.reverse()) release()
  })
  expect([await ask('/1'), await ask('/2')]).toEqual(['/1', '/2'])
  expect(connections()).toBe(1)
  const paths = Array.from({ length: 8 }, (_, index) => `/held-${index}`)
  expect(await Promise.all(paths.map(ask))).toEqual(paths)
  expect(connections()).toBe(8)
})

test('one that is given up takes its connection along, and no other', async () => {
  const { begin, ask, connections } = await served(({ url }, response) => url !== '/never' && response.end(url))
  expect(await ask('/before')).toBe('/before')
  const never = begin('/never')
  const beside = ask('/beside')
  never.giveUp()
  await expect(never.text()).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(await beside).toBe('/beside')
  never.giveUp() // its connection is gone; those of others are not its own
  expect(await ask('/after')).toBe('/after')
  expect(connections()).toBe(2)
})

test('a connection that its server does not keep, or has closed, is not used again', async () => {
  const { ask, connections } = await served(({ url, socket }, response) => {
    if (url === '/closes') response.setHeader('connection', 'close')
    if (url === '/short') response.setHeader('keep-alive', 'timeout=1')
    response.end(url, () => url === '/gone' && socket.destroy())
  })
  for (const path of ['/closes', '/short', '/gone']) expect(await ask(path)).toBe(path)
  await expect.poll(() => ask('/kept').catch(() => undefined)).toBe('/kept')
  expect(connections()).toBeGreaterThanOrEqual(4)
})

test('a server that speaks without having been asked is shown out before it is asked again', async () => {
  const { ask, connections } = await served(({ url, socket }, response) => {
    response.end(url, () => url === '/talks' && socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong'))
  })
  expect(await ask('/talks')).toBe('/talks')
  await expect.poll(async () => [await ask('/asked').catch(() => undefined), connections()]).toEqual(['/asked', 2])
})

test('a server that ends none of its answers uses up its own connections, and no more', async () => {
  const { begin, connections } = await served((_, response) => response.write('x'))
  const all = Array.from({ length: 300 }, () => begin('/endless').ended.catch(({ message }) => message))
  await expect.poll(connections).toBe(256)
  expect(await Promise.all(all.slice(256))).toEqual(Array(44).fill('256 answers of the tool have no end'))
})
