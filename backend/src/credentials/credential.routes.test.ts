import type { Credential } from '@agentopia/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, furnish, jsonOf, openTestControlPlane, signedIn } from '../control-plane.testing.ts'
import { instances } from '../store/schema/index.ts'
import { catalogWithTeller } from './credentials.testing.ts'

let plane: Awaited<ReturnType<typeof openTestControlPlane>>
let home: Awaited<ReturnType<typeof furnish>>
let operator: As
let viewer: As
beforeAll(async () => {
  plane = await openTestControlPlane(undefined, { catalog: catalogWithTeller })
  const { userId, ...session } = await signedIn(plane, 'account_home', 'operator')
  operator = session
  const { userId: _, ...other } = await signedIn(plane, 'account_home', 'viewer')
  viewer = other
  home = await furnish(plane.store, 'account_home', userId)
  await plane.store.system((tx) => tx.update(instances).set({ toolId: 'teller' }))
})
afterAll(() => plane.close())

const path = () => `/api/agents/${home.ids.agentId}/toolbelt/${home.ids.toolbeltItemId}/credential`
const put = (values: object, as = operator) => plane.send('PUT', path(), as, { values })
const read = async () => (await (await plane.request('GET', path(), viewer)).json()) as Credential
const CANARY = 'canary-of-the-routes-0123456789'

test('K06 at first it is missing, with the form that the tool declares', async () => {
  const credential = await read()
  expect(credential).toMatchObject({ state: 'missing' })
  expect(credential.fields.map(({ key, required, set }) => [key, required, set])).toEqual([
    ['apiKey', true, false],
    ['certificate', false, false],
  ])
})

test('K06 the agent’s call is refused by name, with the fix', async () => {
  const execute = `/api/agents/${home.ids.agentId}/tools/${home.ids.toolbeltItemId}/execute`
  const from = `/api/agents/${home.ids.agentId}/toolboxes/${home.ids.toolboxId}`
  expect((await plane.request('PUT', from, operator)).status).toBe(200)
  await plane.store.system((tx) =>
    tx.update(instances).set({ capabilities: [{ name: 'tell', inputSchema: {}, digest: 'd' }] }),
  )
  await plane.send('PATCH', path().replace('/credential', ''), operator, { allow: ['tell'] })
  const answer = await plane.send('POST', execute, home.agent, { capability: 'tell' })
  expect([answer.status, await answer.json()]).toMatchObject([
    409,
    { code: 'missing-credential', fix: expect.stringContaining('Store the secrets') },
  ])
  const mcp = await plane.request('GET', '/api/calls', viewer)
  expect(JSON.stringify(await mcp.json())).toContain('missing-credential')
})

test('K01 what is stored is shown as a hint, in the reply and ever after', async () => {
  const answer = await put({ apiKey: CANARY, certificate: 'short' })
  const text = await answer.text()
  expect([answer.status, text.includes(CANARY)]).toEqual([200, false])
  const credential = await read()
  expect(credential).toMatchObject({ state: 'unverified', version: 1 })
  expect(credential.fields.map(({ hint }) => hint)).toEqual(['…6789', '•••'])
})

test('the same again changes nothing; another value is the next version; null removes one', async () => {
  expect(((await (await put({ apiKey: CANARY })).json()) as Credential).version).toBe(1)
  expect(((await (await put({ apiKey: `${CANARY}-2` })).json()) as Credential).version).toBe(2)
  const removed = (await (await put({ certificate: null })).json()) as Credential
  expect([removed.version, removed.fields.map(({ set }) => set)]).toEqual([3, [true, false]])
})

test.each([
  ['a field that the tool does not have', { other: CANARY }],
  ['nothing', { apiKey: null, certificate: null }],
])('K01 %s is refused without repeating a value', async (_, values) => {
  const answer = await put(values)
  const text = await answer.text()
  expect([answer.status, text.includes(CANARY)]).toEqual([422, false])
})

test('K01 neither a wrong type nor a value too long comes back', async () => {
  for (const value of [[CANARY], { a: CANARY }, CANARY.repeat(5_000)]) {
    const answer = await put({ apiKey: value })
    expect(answer.status).toBe(400)
    expect(await answer.text()).not.toContain(CANARY)
  }
})

test('a viewer may not change it', async () => {
  expect((await put({ apiKey: CANARY }, viewer)).status).toBe(403)
  expect((await plane.request('DELETE', path(), viewer)).status).toBe(403)
})

test('revoked, it is missing again; revoking twice is fine; each deed is on record without a value', async () => {
  for (let twice = 0; twice < 2; twice++) expect((await plane.request('DELETE', path(), operator)).status).toBe(204)
  expect(await read()).toMatchObject({ state: 'missing' })
  const activity = await (await plane.request('GET', '/api/activity', viewer)).text()
  for (const action of ['credential.stored', 'credential.rotated', 'credential.revoked'])
    expect(activity).toContain(action)
  expect(activity).not.toContain('canary')
})

test('K05 a toolbox has no way to ask for secrets: whatever it tries is not there', async () => {
  const tries = ['credentials', 'secrets', `secrets/${home.ids.instanceId}`, `agents/${home.ids.agentId}/credential`]
  for (const method of ['GET', 'POST'])
    for (const what of tries) {
      const answer = await plane.request(method, `/dtma/${what}`, { authorization: 'Bearer any-toolbox' })
      expect([what, answer.status, (await jsonOf(answer)).code]).toEqual([what, 404, 'not-found'])
    }
})
