import { readRegistryCredential } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type As,
  accountWithDtma,
  jsonOf,
  openTestControlPlane,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { activities, registryCredentials, toolboxes } from '../store/schema/index.ts'

const PASSWORD = 'canary-of-a-registry-password'
const REGISTRY = 'registry.example:5000'
let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

const account = () => accountWithDtma(plane, 'admin')

const path = (registry: string) => `/api/registries/${encodeURIComponent(registry)}`
const give = (as: As, registry = REGISTRY) =>
  plane.send('PUT', path(registry), as, { username: 'robot', password: PASSWORD })
const list = async (as: As) => (await plane.request('GET', '/api/registries', as)).json()
const ask = async (token: string, registry = REGISTRY) => {
  const answer = await plane.send(
    'POST',
    readRegistryCredential.path,
    { authorization: `Bearer ${token}` },
    { registry },
  )
  return { status: answer.status, json: await answer.json() }
}
async function deploy({ as, toolboxId }: Awaited<ReturnType<typeof account>>, image: string): Promise<void> {
  const spec = { package: { type: 'oci', image }, transport: { type: 'stdio' } }
  await plane.send('POST', '/api/catalog', as, { id: 'own', title: 'Own', spec })
  const answer = await plane.send('POST', `/api/toolboxes/${toolboxId}/tools`, as, { toolId: 'own', name: 'own' })
  expect(answer.status).toBe(202)
}

test('a credential goes in, and no answer, record or column gives the password back', async () => {
  const { as } = await account()
  const answer = await give(as)
  expect(answer.status).toBe(200)
  const shown = [await answer.text(), await list(as)]
  const rows = await plane.store.system(async (tx) => [
    await tx.select().from(registryCredentials),
    await tx.select().from(activities),
  ])
  expect(JSON.stringify([shown, rows])).not.toContain(PASSWORD)
  expect(shown[1]).toMatchObject({ items: [{ registry: REGISTRY, username: 'robot' }] })
  expect((await plane.request('DELETE', path(REGISTRY), as)).status).toBe(204)
  expect(await list(as)).toEqual({ items: [] })
  expect((await jsonOf(await plane.request('DELETE', path(REGISTRY), as))).code).toBe('registry-not-found')
})

test.each(['https://registry.example', 'registry.example/owner', 'user@registry.example', '..', 'REGISTRY.example'])(
  '"%s" is no registry',
  async (registry) => {
    expect((await give((await account()).as, registry)).status).toBeGreaterThanOrEqual(400)
  },
)

test('K05 a toolbox gets the credential for where one of its own tools is pulled from, and for nothing else', async () => {
  const home = await account()
  await give(home.as)
  expect(await ask(home.token)).toEqual({ status: 200, json: {} })
  await deploy(home, `${REGISTRY}/team/server:1.0`)
  expect((await ask(home.token)).json).toEqual({ credential: { username: 'robot', password: PASSWORD } })
  expect((await ask(home.token, 'other.example')).json).toEqual({})

  const stranger = await account()
  await deploy(stranger, `${REGISTRY}/team/server:1.0`)
  expect((await ask(stranger.token)).json).toEqual({})
  expect((await ask('dtma-token-that-is-none')).status).toBe(401)

  await plane.store.system((tx) =>
    tx.update(toolboxes).set({ status: 'quarantined' }).where(eq(toolboxes.id, home.toolboxId)),
  )
  expect((await ask(home.token)).json).toEqual({})
})

test('K05 who asks too often is told to come again', async () => {
  const { token } = await account()
  const statuses = []
  for (let i = 0; i < 32; i++) statuses.push((await ask(token)).status)
  expect(statuses.slice(0, 30)).toEqual(Array(30).fill(200))
  expect(statuses.at(-1)).toBe(429)
})
