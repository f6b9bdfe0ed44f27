import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDocumentReader, isDocumentAddress } from './client-document.ts'

let origin: string
let asked = 0
let answer: (response: ServerResponse, address: string) => void
const server = createServer((request, response) => {
  asked += 1
  answer(response, origin + request.url)
})

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const read = createDocumentReader({ mayDial: () => true, plain: true, timeoutMs: 500 })
const json =
  (body: unknown, type = 'application/json') =>
  (response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body))
const document =
  (more: object = {}) =>
  (response: ServerResponse, address: string) =>
    json({ client_id: address, client_name: 'Desk', redirect_uris: ['http://127.0.0.1/cb'], ...more })(response)

test('a document is what its client says of itself', async () => {
  answer = document({ token_endpoint_auth_method: 'none', surprise: true })
  expect(await read(`${origin}/client.json`)).toEqual({
    id: `${origin}/client.json`,
    name: 'Desk',
    redirectUris: ['http://127.0.0.1/cb'],
  })
})

test.each([
  ['the document of another', document({ client_id: 'https://app.example/client.json' })],
  ['one for clients with a secret', document({ token_endpoint_auth_method: 'client_secret_basic' })],
  ['one with a key that is not looked at', document({ token_endpoint_auth_method: 'private_key_jwt' })],
  ['one that answers at javascript:', document({ redirect_uris: ['javascript:alert(1)'] })],
  ['one without addresses', document({ redirect_uris: [] })],
  ['a page', json('<html>', 'text/html')],
  ['a list', json([])],
  ['no JSON', json('{')],
  ['more than the limit', json('x'.repeat(20_000))],
  ['a redirect', (response: ServerResponse) => void response.writeHead(302, { location: '/client.json' }).end()],
  ['an error', (response: ServerResponse) => void response.writeHead(500).end()],
  ['silence', () => {}],
  [
    'a body that does not end',
    (response: ServerResponse) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
  ],
  ['a cut connection', (response: ServerResponse) => void response.destroy()],
] as [string, typeof answer][])('T10 a document that is not as it should be is refused: %s', async (_, given) => {
  answer = given
  await expect(read(`${origin}/client.json`)).rejects.toMatchObject({
    name: 'OAuthError',
    message: expect.not.stringContaining('127.0.0.1'),
  })
})

test('T10 nothing that is not public is dialled, by address or by name, and nobody learns what is there', async () => {
  answer = document()
  const before = asked
  const guarded = createDocumentReader({ plain: true, timeoutMs: 500 })
  const { port } = new URL(origin)
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '10.0.0.1']) {
    const refused = guarded(`http://${host}:${port}/client.json`)
    await expect(refused).rejects.toThrow(/not public|could not be reached/)
  }
  expect(asked).toBe(before)
})

test('T10 a name is checked when it is dialled, each time', async () => {
  answer = document()
  const dialled: string[] = []
  const once = createDocumentReader({
    plain: true,
    timeoutMs: 500,
    mayDial: (address) => dialled.push(address) <= 1, // public when first asked, then not: a name that changed
  })
  const address = `http://localhost:${new URL(origin).port}/client.json`
  await once(address).catch(() => {})
  await expect(once(address)).rejects.toThrow(/could not be reached/)
  expect(dialled.length).toBeGreaterThan(1)
})

test('T10 an id is an address when it is https, has a path, and is spelled as everybody spells it', () => {
  expect(isDocumentAddress('https://app.example/client.json')).toBe(true)
  for (const id of [
    'client_0000000000000000',
    'http://app.example/client.json',
    'file:///etc/passwd',
    'gopher://app.example/x',
    'https:app.example/client.json',
    'https://app.example/',
    'https://app.example',
    'https://app.example/a/../client.json',
    'https://app.example:443/client.json',
    'https://APP.example/client.json',
    'https://user@app.example/client.json',
    'https://app.example/client.json#x',
    'https://0x7f.1/client.json',
    `https://app.example/${'x'.repeat(1_000)}`,
  ])
    expect([id, isDocumentAddress(id)]).toEqual([id, false])
})
