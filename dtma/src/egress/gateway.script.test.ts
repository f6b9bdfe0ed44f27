import { createServer, type Server } from 'node:net'
import { connect } from 'node:tls'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GATEWAY_SCRIPT, hostNamedBy, isPublicAddress, isWebPort, speaksWeb } from './gateway.script.ts'

test('addresses of the outside are told from private, local, shared and reserved ones', () => {
  const outside = [
    '1.1.1.1',
    '8.8.8.8',
    '100.63.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.1.1',
    '198.20.0.1',
    '223.1.1.1',
  ]
  const inside = ['0.0.0.0', '10.1.2.3', '127.0.0.1', '100.64.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255']
  const more = ['192.168.0.1', '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1']
  const nonsense = ['255.255.255.255', '::1', '::ffff:1.1.1.1', '1.1.1', 'host', '']
  expect(outside.filter((address) => !isPublicAddress(address))).toEqual([])
  expect([...inside, ...more, ...nonsense].filter(isPublicAddress)).toEqual([])
})

/** The first bytes that a real TLS client sends. */
async function greeting(servername: string): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (bytes) => {
      resolve(bytes)
      socket.destroy()
      server.close()
    })
  }).listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number }
    connect({ port, host: '127.0.0.1', servername }).on('error', () => undefined)
  })
  return promise
}

test('the host is read from the greeting of TLS, in whatever pieces it comes', async () => {
  const bytes = await greeting('Api.Example.com')
  expect(hostNamedBy(bytes)).toBe('api.example.com')
  for (let length = 0; length < bytes.length; length++) expect(hostNamedBy(bytes.subarray(0, length))).toBeUndefined()
  expect(hostNamedBy(await greeting(''))).toBe('')
})

test('the host is read from an HTTP request', () => {
  expect(hostNamedBy(Buffer.from('GET / HTTP/1.1\r\nHost: Api.Example.com:80\r\n'))).toBe('api.example.com')
  expect(hostNamedBy(Buffer.from('GET / HTTP/1.1\r\nAccept: *'))).toBeUndefined()
  expect(hostNamedBy(Buffer.from('GET / HTTP/1.0\r\n\r\n'))).toBe('')
  expect(hostNamedBy(Buffer.from('\x00\x01'))).toBe('')
})

test('a tool that may reach any host does so where HTTP is spoken, not where mail, shells and files are', () => {
  expect([80, 443, 1_024, 3_000, 8_080, 8_443, 65_535].filter((port) => !isWebPort(port))).toEqual([])
  expect([0, 21, 22, 23, 25, 53, 110, 143, 389, 445, 465, 587, 993, 1_023, Number.NaN].filter(isWebPort)).toEqual([])
})

test('TLS and HTTP are told from everything else by their first bytes, in whatever pieces they come', async () => {
  const web = [
    await greeting('api.example.com'),
    Buffer.from('GET / HTTP/1.1\r\n'),
    Buffer.from('PROPFIND /x HTTP/1.1\r\n'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\n'),
  ]
  for (const bytes of web) {
    expect(speaksWeb(bytes)).toBe(true)
    for (let length = 0; length < bytes.length; length++) expect(speaksWeb(bytes.subarray(0, length))).not.toBe(false)
  }
  for (const bytes of [
    'SSH-2.0-x\r\n',
    'EHLO\r\n',
    'EHLO me\r\n',
    '\x16\x02',
    '\x00\x01',
    '*1\r\n',
    'get / HTTP/1.1',
    'A B\r\n',
    'X'.repeat(40),
  ])
    expect(speaksWeb(Buffer.from(bytes, 'latin1')), bytes).toBe(false)
})

test('no bytes that a tool can send make the reading fail', () => {
  const tlsLike = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from([0x16, 3, 1, 0, 20, ...bytes]))
  const any = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.oneof(tlsLike, any), (bytes) => {
      expect(['string', 'undefined']).toContain(typeof hostNamedBy(bytes))
      expect(['boolean', 'undefined']).toContain(typeof speaksWeb(bytes))
    }),
    { numRuns: 10_000 },
  )
})

test('the program is whole: it needs nothing but Node', () => {
  expect(() => new Function(GATEWAY_SCRIPT)).not.toThrow()
  expect(GATEWAY_SCRIPT).not.toMatch(/__vi|import\(|require\(/)
})
