import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHttpReader, type HttpHead } from './http-reader.ts'

/** Reads these pieces; the connection ends behind them. */
function readAll(pieces: readonly (string | Buffer)[]) {
  let head: HttpHead | undefined
  let text = ''
  const reader = createHttpReader({
    onHead: (found) => {
      head = found
    },
    onText: (piece) => {
      text += piece
    },
  })
  const isDone = pieces.map((piece) => reader.read(Buffer.from(piece))).at(-1) || reader.end()
  return { status: head?.status, headers: head?.headers, text, isDone, keepMs: reader.keepMs }
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
const forEver = { status: 200, isDone: true, keepMs: Number.POSITIVE_INFINITY }

test.each<[string, string, object]>([
  ['of a length', `${HEAD}content-length: 5\r\n\r\nhello`, { ...forEver, text: 'hello' }],
  ['without a body', `${HEAD}content-length: 0\r\n\r\n`, { ...forEver, text: '' }],
  ['of 204', 'HTTP/1.1 204 No Content\r\n\r\n', { ...forEver, status: 204, text: '' }],
  ['without a reason', 'HTTP/1.1 202\r\ncontent-length: 0\r\n\r\n', { ...forEver, status: 202 }],
  [
    'in chunks',
    `${HEAD}transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n`,
    { ...forEver, text: 'hello' },
  ],
  ['with trailers', `${HEAD}Transfer-Encoding: Chunked\r\n\r\n1\r\nh\r\n0\r\na: b\r\n\r\n`, { ...forEver, text: 'h' }],
  [
    'behind its announcements',
    `HTTP/1.1 100 Continue\r\n\r\n${HEAD}content-length: 1\r\n\r\nh`,
    { ...forEver, text: 'h' },
  ],
  ['until the end', `${HEAD}\r\nhello`, { status: 200, isDone: true, keepMs: 0, text: 'hello' }],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nh', { isDone: true, keepMs: 0, text: 'h' }],
  ['that closes', `${HEAD}connection: close\r\ncontent-length: 1\r\n\r\nh`, { isDone: true, keepMs: 0, text: 'h' }],
  [
    'that is kept a while',
    `${HEAD}keep-alive: timeout=5\r\ncontent-length: 0\r\n\r\n`,
    { isDone: true, keepMs: 4_000 },
  ],
  ['with more behind it', `${HEAD}content-length: 1\r\n\r\nhHTTP/1.1 200`, { isDone: true, keepMs: 0, text: 'h' }],
  ['that is cut off', `${HEAD}content-length: 5\r\n\r\nhel`, { isDone: false, text: 'hel' }],
  ['cut off in a chunk', `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhel`, { isDone: false, text: 'hel' }],
])('an answer %s', (_, bytes, expected) => {
  expect(readAll([bytes])).toMatchObject(expected)
})

test.each([
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['another version', 'HTTP/2 200 OK\r\n\r\n'],
  ['no status', 'HTTP/1.1 OK\r\n\r\n'],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a header without a name', `${HEAD}: x\r\n\r\n`],
  ['a header over two lines', `${HEAD}a: b\r\n c\r\n\r\n`],
  ['a space before the colon', `${HEAD}content-length : 1\r\n\r\nh`],
  ['a line end inside of a header', `${HEAD}a: b\nc: d\r\n\r\n`],
  ['two lengths', `${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\nh`],
  ['a negative length', `${HEAD}content-length: -1\r\n\r\n`],
  ['a length and chunks', `${HEAD}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`],
  ['another coding', `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n`],
  ['a chunk without a size', `${HEAD}transfer-encoding: chunked\r\n\r\n\r\n`],
  ['a chunk of no number', `${HEAD}transfer-encoding: chunked\r\n\r\n-1\r\n`],
  ['a chunk that is longer than it says', `${HEAD}transfer-encoding: chunked\r\n\r\n1\r\nhello\r\n`],
  ['a head without end', `${HEAD}a: ${'x'.repeat(20_000)}`],
  ['a line without end', `${HEAD}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(300)}`],
])('is refused: %s', (_, bytes) => {
  expect(() => readAll([bytes])).toThrow(/not HTTP\/1\.1/)
})

test('headers are found by their names in lower case, those of one name joined', () => {
  const { headers } = readAll([`${HEAD}Mcp-Session-Id:  abc \r\nvary: a\r\nVary: b\r\ncontent-length: 0\r\n\r\n`])
  expect(Object.fromEntries(headers!)).toMatchObject({ 'mcp-session-id': 'abc', vary: 'a, b' })
})

/** What Node's own server sends for this. */
async function sentBy(answer: (response: ServerResponse) => void): Promise<Buffer> {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const bytes: Buffer[] = []
  for await (const chunk of socket) bytes.push(chunk)
  server.close()
  return Buffer.concat(bytes)
}

test('what a server sends is read the same, however the network cuts it, and never as complete before its end', async () => {
  const body = 'data: ü€😀\n\n'.repeat(3)
  const inChunks = await sentBy((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', trailer: 'x-end' })
    for (const character of body) response.write(character)
    response.addTrailers({ 'x-end': 'yes' })
    response.end()
  })
  const whole = await sentBy((response) => response.end(body))
  fc.assert(
    fc.property(fc.constantFrom(inChunks, whole), fc.array(fc.nat({ max: 600 })), (bytes, cuts) => {
      const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
      expect(readAll(pieces)).toMatchObject({ status: 200, text: body, isDone: true })
      expect(readAll([...pieces, bytes.subarray(0, 0)].slice(0, -2)).isDone).toBe(false)
    }),
  )
})

test('whatever bytes come, it reads them or refuses them', () => {
  const token = fc.constantFrom(
    'HTTP/1.1 200 OK',
    '\r\n',
    '\r',
    '\n',
    'content-length: 3',
    'transfer-encoding: chunked',
    '5',
    '0',
    'x',
  )
  const some = fc.oneof(
    fc.array(token).map((parts) => parts.join('')),
    fc.array(token).map((parts) => `${HEAD}${parts.join('')}`),
  )
  fc.assert(
    fc.property(fc.array(some, { maxLength: 5 }), (pieces) => {
      try {
        readAll(pieces)
      } catch (error) {
        expect(String(error)).toMatch(/not HTTP\/1\.1/)
      }
    }),
    { numRuns: 5_000 },
  )
})
