import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { beatOf, newKey } from './uplink.testing.ts'

const login = { user: 'puller', password: 'canary' }
let plane: TestControlPlane
let operator: As

beforeAll(async () => {
  plane = await openTestControlPlane(undefined, {
    machines: {
      imageName: 'agentopia-dtma:test',
      limits: { ofAccount: 20, ofAll: 10_000 },
      digitalOceanUrl: 'http://digitalocean',
      registry: { image: 'registry.example:5000/dtma:1', login },
    },
  })
  operator = await signedIn(plane, 'account_registry', 'operator')
})
afterAll(() => plane.close())

const ask = async (token?: string) => {
  const answer = await plane.request('GET', '/dtma/registry-auth', token ? { authorization: `Bearer ${token}` } : {})
  return { status: answer.status, body: (await answer.json()) as object }
}
const OPEN = { auths: { 'registry.example:5000': { auth: Buffer.from('puller:canary').toString('base64') } } }

test('a machine that is to become a toolbox is told what opens the registry; once it is one, its own credential asks', async () => {
  const body = { provider: 'join', name: 'server', variant: 'registry' }
  const { id } = (await (await plane.send('POST', '/api/toolboxes', operator, body)).json()) as { id: string }
  const made = await plane.request('POST', `/api/toolboxes/${id}/join-line`, operator)
  const { line } = (await made.json()) as { line: string }
  expect(line).toContain('/install/registry.sh ')
  expect(line).not.toContain('canary')
  const token = /enrol_[\w-]+/.exec(line)![0]
  expect(await ask(token)).toEqual({ status: 200, body: OPEN })

  const enrolled = await plane.send('POST', '/dtma/enrol', {}, newKey()(id, token))
  const { dtmaBearerToken } = (await enrolled.json()) as { dtmaBearerToken: string }
  expect((await ask(token)).status).toBe(401)
  expect(await ask(dtmaBearerToken)).toEqual({ status: 200, body: OPEN })

  const beat = await plane.send(
    'POST',
    '/dtma/heartbeat',
    { authorization: `Bearer ${dtmaBearerToken}` },
    beatOf('r', 1),
  )
  expect(beat.status).toBe(200)
  await plane.request('DELETE', `/api/toolboxes/${id}`, operator)
  await expect.poll(async () => (await ask(dtmaBearerToken)).status, { timeout: 10_000 }).toBe(401)
})

test('nobody else is told anything', async () => {
  for (const token of [undefined, 'enrol_of-nobody-at-all', 'dtma_of-nobody-at-all']) {
    const { status, body } = await ask(token)
    expect([status, JSON.stringify(body)]).toEqual([401, expect.not.stringContaining('puller')])
  }
})

test('what it is not set up for is not offered: neither asked for nor fetched', async () => {
  const body = { provider: 'join', name: 'by-git', variant: 'git' }
  const refused = await plane.send('POST', '/api/toolboxes', operator, body)
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, 'variant-unavailable'])
  expect((await plane.request('GET', '/install/git.sh')).status).toBe(409)
  const info = (await (await plane.request('GET', '/api/info')).json()) as { variants: string[] }
  expect(info.variants).toEqual(['docker', 'registry'])
})
