import { OPERATIONS } from '@agentopia/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FIRST_USER } from '../accounts/first-account.ts'
import { browserOf, openTestControlPlane, type TestControlPlane } from '../control-plane.testing.ts'
import { nowhere, pathOf } from '../every-operation.testing.ts'

// No page of another site may read what is answered here: nothing is ever allowed to another origin.

let plane: TestControlPlane
let cookie: string
beforeAll(async () => {
  plane = await openTestControlPlane()
  cookie = (await browserOf(plane, FIRST_USER))['cookie']!
})
afterAll(() => plane.close())

const OTHERS = [
  '/',
  '/oauth/token',
  '/oauth/register',
  '/.well-known/oauth-authorization-server',
  '/dtma/enrol',
  '/install.sh',
  '/nowhere',
]
const paths = [...new Set([...OPERATIONS.map((op) => pathOf(op, nowhere)), ...OTHERS])]

test.each([
  'https://evil.example',
  'null',
  'http://evil.localhost:3000',
  'http://localhost:3000.evil.example',
  'http://localhost:30000',
  'http://localhost',
  'https://localhost:3000',
])('T06 no answer allows %s to read it, nor does any preflight', async (origin) => {
  for (const path of paths) {
    const ways: [string, Record<string, string>][] = [
      ['GET', { cookie }],
      ['POST', { cookie, 'content-type': 'text/plain' }],
      ['OPTIONS', { 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' }],
    ]
    for (const [method, headers] of ways) {
      const answer = await plane.request(method, path, { ...headers, origin })
      await answer.body?.cancel()
      const allowed = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))
      expect([method, path, allowed]).toEqual([method, path, []])
      if (method === 'POST') expect([path, answer.status]).toEqual([path, isUplink(path) ? expect.any(Number) : 403])
    }
  }
})

test('T05 a form of another site, or JSON that is sent as text, is refused before it is read', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '']) {
    const init = { body: '{"name":"x"}', headers: { 'content-type': type } }
    const source = { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    expect((await plane.request('POST', '/api/agents', source, init)).status).toBe(403)
    // And from our own page only JSON that says so.
    expect((await plane.request('POST', '/api/agents', { cookie, origin: 'http://localhost:3000' }, init)).status).toBe(
      400,
    )
  }
})

/** Toolboxes come without a browser, by whatever address they were given. */
const isUplink = (path: string): boolean => path.startsWith('/dtma/') || path === '/install.sh'
