import { Tool, ToolInstance } from '@agentopia/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type As,
  furnishedAccount,
  jsonOf,
  openTestControlPlane,
  type TestControlPlane,
} from '../control-plane.testing.ts'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

async function account(): Promise<{ as: As; toolboxId: string }> {
  const { as, ids } = await furnishedAccount(plane, 'admin')
  return { as, toolboxId: ids.toolboxId }
}

const NOTES = {
  id: 'notes',
  title: 'Notes',
  spec: {
    package: { type: 'pypi', name: 'notes-server', version: '1.2.0' },
    transport: { type: 'stdio' },
    profiles: ['bigmem'],
  },
  config: [{ key: 'depth', title: 'Depth', type: 'integer', required: true, target: { env: 'DEPTH' } }],
}
const add = (as: As, change: object = {}) => plane.send('POST', '/api/catalog', as, { ...NOTES, ...change })
const ids = async (as: As, search = '') =>
  (await jsonOf(await plane.request('GET', `/api/catalog?search=${search}`, as))).items.map(({ id }) => id)

test('a tool of one’s own stands first in the catalogue, can be deployed, and is nobody else’s', async () => {
  const { as, toolboxId } = await account()
  const answer = await add(as)
  expect(answer.status).toBe(201)
  expect(Tool.parse(await answer.json())).toMatchObject({
    id: 'notes',
    own: true,
    package: { type: 'pypi', name: 'notes-server', version: '1.2.0' },
    profiles: ['bigmem'],
  })
  expect((await ids(as))[0]).toBe('notes')
  expect(await ids(as, 'notes')).toEqual(['notes'])

  const path = `/api/toolboxes/${toolboxId}/tools`
  const wrong = await plane.send('POST', path, as, { toolId: 'notes', name: 'mine' })
  expect((await jsonOf(wrong)).code).toBe('invalid-config')
  const deployed = await plane.send('POST', path, as, { toolId: 'notes', name: 'mine', config: { depth: 3 } })
  expect(ToolInstance.parse(await deployed.json())).toMatchObject({ toolId: 'notes', config: { depth: 3 } })

  const stranger = await account()
  expect(await ids(stranger.as)).not.toContain('notes')
  expect((await plane.request('GET', '/api/catalog/notes', stranger.as)).status).toBe(404)
  expect((await add(stranger.as)).status).toBe(201)
})

test('a tool that is deployed stays in the catalogue; one that is not can go', async () => {
  const { as, toolboxId } = await account()
  await add(as)
  await plane.send('POST', `/api/toolboxes/${toolboxId}/tools`, as, {
    toolId: 'notes',
    name: 'mine',
    config: { depth: 1 },
  })
  const refused = await plane.request('DELETE', '/api/catalog/notes', as)
  expect([refused.status, (await jsonOf(refused)).code]).toEqual([409, 'tool-in-use'])
  await add(as, { id: 'spare' })
  expect((await plane.request('DELETE', '/api/catalog/spare', as)).status).toBe(204)
  expect(await ids(as)).not.toContain('spare')
  expect((await jsonOf(await plane.request('DELETE', '/api/catalog/everything', as))).code).toBe('tool-curated')
})

const secret = { key: 'apiKey', title: 'Key', required: true, target: { env: 'API_KEY' } }
const oci = (image: string, more: object = {}) => ({
  package: { type: 'oci', image, ...more },
  transport: { type: 'stdio' },
})

test('an image takes secrets as a package does', async () => {
  const file = { ...secret, key: 'token', target: { file: '/tmp/secrets/token' } }
  const answer = await add((await account()).as, { spec: oci('example/x:1'), config: [], secrets: [secret, file] })
  expect([answer.status, ((await answer.json()) as Tool).secrets]).toEqual([201, [secret, file]])
})

test('a tool of one’s own says where its access token comes from, as it was written', async () => {
  const { as } = await account()
  const endpoints = { authorization: 'https://login.example.com/authorize', token: 'https://login.example.com/token' }
  const oauth = { field: 'apiKey', scopes: ['events.read'], issuer: 'https://login.example.com', endpoints }
  expect((await add(as, { secrets: [secret], oauth })).status).toBe(201)
  expect(Tool.parse(await (await plane.request('GET', '/api/catalog/notes', as)).json()).oauth).toEqual(oauth)
})

test.each([
  ['a name that is taken', { id: 'everything' }, 409, 'name-taken'],
  [
    'a range of versions',
    { spec: { ...NOTES.spec, package: { ...NOTES.spec.package, version: '>=1' } } },
    400,
    'invalid-request',
  ],
  ['an image without a tag', { spec: oci('registry.example/owner/server') }, 400, 'invalid-request'],
  [
    'more than any profile allows',
    { spec: { ...NOTES.spec, resources: { memoryMib: 4_000 } } },
    400,
    'invalid-request',
  ],
  ['a field that no spec has', { spec: { ...NOTES.spec, privileged: true } }, 400, 'invalid-request'],
  [
    'a setting for a reserved variable',
    { config: [{ ...NOTES.config[0], target: { env: 'LD_PRELOAD' } }] },
    422,
    'invalid-tool',
  ],
  ['a key that is used twice', { secrets: [{ ...secret, key: 'depth' }] }, 422, 'invalid-tool'],
  [
    'a secret outside of its directory',
    { secrets: [{ ...secret, target: { file: '/etc/passwd' } }] },
    422,
    'invalid-tool',
  ],
  [
    'an access token for a secret that it does not take',
    { secrets: [secret], oauth: { field: 'token', scopes: [], resource: 'https://api.example.com' } },
    422,
    'invalid-tool',
  ],
  [
    'an access token of nobody knows whom',
    { secrets: [secret], oauth: { field: 'apiKey', scopes: [] } },
    400,
    'invalid-request',
  ],
  [
    'an archive that is not here',
    { spec: oci('x:1', { archive: `sha256:${'0'.repeat(64)}` }) },
    404,
    'image-not-found',
  ],
] as const)('a tool with %s is refused', async (_, change, status, code) => {
  const answer = await add((await account()).as, change)
  expect([answer.status, (await jsonOf(answer)).code]).toEqual([status, code])
})
