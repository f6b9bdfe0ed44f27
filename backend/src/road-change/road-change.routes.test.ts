import type { RoadWanted } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, NOBODY, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { dropletActions, toolboxes } from '../store/schema/index.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { openUplink } from '../uplink/uplink.testing.ts'

const ACCOUNT = 'acct_roads'
/** A name that leads nowhere: this control plane has its loops, and they dial. */
const DIRECT = { road: 'direct', address: 'server.invalid' } as const

let plane: TestControlPlane
let operator: As
beforeAll(async () => {
  plane = await openTestControlPlane()
  operator = await signedIn(plane, ACCOUNT, 'operator')
})
afterAll(() => plane?.close())

/** A toolbox that has enrolled and is active, unless it is otherwise. */
async function active(name: string, over: Partial<ToolboxRow> = {}) {
  const uplink = openUplink(plane.store)
  const { id } = await uplink.joined({ accountId: ACCOUNT, name, provider: 'join' })
  const change = { status: 'active', ...over } as const
  await plane.store.system((tx) => tx.update(toolboxes).set(change).where(eq(toolboxes.id, id)))
  return {
    id,
    row: () => uplink.row(id),
    ask: (body: RoadWanted, as: As = operator) => plane.send('POST', `/api/toolboxes/${id}/change-road`, as, body),
  }
}

const answered = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code]

test('who may not operate may not change the road', async () => {
  const { ask } = await active('roles')
  expect((await ask(DIRECT, await signedIn(plane, ACCOUNT, 'viewer'))).status).toBe(403)
  expect((await ask(DIRECT, await signedIn(plane, 'acct_stranger', 'owner'))).status).toBe(404)
  expect((await ask(DIRECT, NOBODY)).status).toBe(401)
})

test('asked twice it is one change; asked for something else meanwhile, it is busy', async () => {
  const box = await active('twice')
  await box.ask(DIRECT)
  const { attempt } = (await box.row()).roadAsked!
  expect((await box.ask(DIRECT)).status).toBe(202)
  expect((await box.row()).roadAsked!.attempt).toBe(attempt)
  expect(await answered(await box.ask({ road: 'tunnel' }))).toEqual([409, 'toolbox-busy'])
  expect(await answered(await box.ask({ ...DIRECT, address: 'elsewhere.invalid' }))).toEqual([409, 'toolbox-busy'])
})

const KEYS = { keyRotationAsked: { attempt: 'a', epoch: 1, askedAt: '' } }
const UPDATE = { updateAsked: { attempt: 'a', version: '9.9.9', askedAt: '' } }
test.each<[string, Partial<ToolboxRow>, RoadWanted, string]>([
  ['silent', { status: 'unresponsive' }, DIRECT, 'toolbox-not-active'],
  ['locked out', { status: 'quarantined', backendToDtmaApiKey: null }, DIRECT, 'toolbox-not-active'],
  ['on its way out', { desired: 'absent' }, DIRECT, 'toolbox-not-active'],
  ['changing its keys', KEYS, DIRECT, 'toolbox-busy'],
  ['being updated', UPDATE, DIRECT, 'toolbox-busy'],
  ['reached so already', {}, { road: 'tunnel' }, 'road-unchanged'],
  ['at an address that nobody gave', {}, { road: 'direct' }, 'direct-not-possible'],
  ['at a private address, which is not allowed', {}, { road: 'direct', address: '10.0.0.5' }, 'direct-not-possible'],
  ['a droplet, at an address that is not its own', { provider: 'digitalocean' }, DIRECT, 'direct-not-possible'],
])('a toolbox that is %s says so', async (what, columns, body, code) => {
  const { ask, row } = await active(what.replaceAll(/\W+/g, '-').slice(0, 40), columns)
  expect(await answered(await ask(body))).toEqual([409, code])
  expect((await row()).roadAsked).toBeNull()
})

test('a toolbox whose droplet is being worked on says what is done', async () => {
  const { ask, id } = await active('at-work')
  await plane.store.system((tx) =>
    tx.insert(dropletActions).values({
      id: 'deed_roads',
      accountId: ACCOUNT,
      toolboxId: id,
      request: { kind: 'reboot' },
      actor: 'ann',
    }),
  )
  const answer = await ask(DIRECT)
  expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
    409,
    'At work on its droplet: reboot',
  ])
})

test('a server over SSH is dialled at its host, unless another address is given', async () => {
  const box = await active('over-ssh', { provider: 'ssh', sshPlace: { host: 'host.invalid', port: 22, user: 'root' } })
  await box.ask({ road: 'direct' })
  expect((await box.row()).roadAsked?.address).toBe('host.invalid')
})
