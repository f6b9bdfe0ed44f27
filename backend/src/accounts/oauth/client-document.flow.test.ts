import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../reconcile/clock.ts'
import { openServedControlPlane, REDIRECT, requestOf, type ServedControlPlane } from './oauth.testing.ts'
import { OAuthError } from './oauth-error.ts'

const CLIENT = 'https://app.example/client.json'
const read: string[] = []
let served: ServedControlPlane

beforeAll(async () => {
  served = await openServedControlPlane(systemClock, async (clientId) => {
    read.push(clientId)
    if (clientId !== CLIENT) throw new OAuthError('invalid_client', 'The metadata document of the client: it is none')
    return { id: clientId, name: 'Desk', redirectUris: [REDIRECT] }
  })
})
afterAll(() => served.close())

test('a client that is known by its document needs no registration, and the person is told whose document it is', async () => {
  const asked = requestOf(CLIENT, 'v')
  const page = await served.authorize(asked)
  const request = page.pathname.split('/').at(-1)
  expect((await served.api('GET', `/api/authorization?request=${request}`)).body).toEqual({
    client: { name: 'Desk', documentHost: 'app.example', redirectHost: '127.0.0.1:7000', staysHere: true },
  })
  const code = await served.codeFor(served.agents.research, { client_id: CLIENT })
  const { access_token } = (await (await served.exchange(code)).json()) as { access_token: string }
  expect((await served.listTools(access_token)).tools).toEqual(['research__search'])
  expect((await served.api('GET', `/api/authorization?request=${request}`)).body.lastAgentId).toBe(
    served.agents.research,
  )
})

test('a stranger does not make us look at a site; who is signed in is told what is wrong there', async () => {
  read.length = 0
  const page = await served.authorize(requestOf('https://elsewhere.example/client.json', 'v'))
  expect(page.pathname).toMatch(/^\/connect\/q/)
  expect(read).toEqual([])
  const { status, body } = await served.api('GET', `/api/authorization?request=${page.pathname.split('/').at(-1)}`)
  expect([status, body.code]).toEqual([400, 'authorization-refused'])
  expect(read).toEqual(['https://elsewhere.example/client.json'])
})

test('a request of such a client that cannot be granted is told to the client, by way of the page', async () => {
  const page = await served.authorize({ ...requestOf(CLIENT, 'v'), code_challenge_method: 'plain' })
  const { body } = await served.api('GET', `/api/authorization?request=${page.pathname.split('/').at(-1)}`)
  expect(body.refusedTo).toContain(`${REDIRECT}?error=invalid_request`)
})
