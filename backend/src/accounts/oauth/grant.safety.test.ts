import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signedIn } from '../../control-plane.testing.ts'
import { type ManualClock, manualClock } from '../../reconcile/manual-clock.testing.ts'
import { agents, members, oauthClients, oauthGrants } from '../../store/schema/index.ts'
import { forgetUnusedClients, insertClient } from './client.store.ts'
import { forgetOldGrants } from './grant.store.ts'
import { openServedControlPlane, type ServedControlPlane } from './oauth.testing.ts'

// What was given can be taken back.

let served: ServedControlPlane
const clock: ManualClock = manualClock(Date.now())

beforeAll(async () => {
  served = await openServedControlPlane(clock)
})
afterAll(() => served.close())

const errorOf = async (answer: Response) => [answer.status, ((await answer.json()) as { error: string }).error]

test('a refresh token works once; its second use ends the grant', async () => {
  const { clientId, refreshToken } = await served.connect(served.agents.research)
  const next = (await (await served.refresh(clientId, refreshToken)).json()) as {
    access_token: string
    refresh_token: string
  }
  expect((await served.listTools(next.access_token)).status).toBe(200)
  expect(await errorOf(await served.refresh(clientId, refreshToken))).toEqual([400, 'invalid_grant'])
  expect((await served.listTools(next.access_token)).status).toBe(401)
  expect(await errorOf(await served.refresh(clientId, next.refresh_token))).toEqual([400, 'invalid_grant'])
})

test('a refresh token is of no use to another client', async () => {
  const { refreshToken, access } = await served.connect(served.agents.research)
  const other = (await served.register()).body.client_id
  expect(await errorOf(await served.refresh(other, refreshToken))).toEqual([400, 'invalid_grant'])
  expect((await served.listTools(access)).status).toBe(200)
})

test('a client signs out: with the access token that alone ends, with the refresh token everything', async () => {
  const { clientId: client_id, access, refreshToken } = await served.connect(served.agents.research)
  const revoke = (token: string, more = {}) => served.form('/oauth/revoke', { token, client_id, ...more })
  expect((await revoke(access, { client_id: 'client_0000000000000000' })).status).toBe(200)
  expect((await served.listTools(access)).status).toBe(200)
  expect((await revoke(access)).status).toBe(200)
  expect((await served.listTools(access)).status).toBe(401)
  expect((await revoke(refreshToken)).status).toBe(200)
  expect(await errorOf(await served.refresh(client_id, refreshToken))).toEqual([400, 'invalid_grant'])
  expect((await revoke('unknown')).status).toBe(200)
})

test('a grant that another replica ended is refused within five seconds', async () => {
  const { access } = await served.connect(served.agents.research)
  expect((await served.listTools(access)).status).toBe(200)
  await served.store.system(async (tx) => {
    await tx.execute(sql`set local session_replication_role = replica`) // no announcement is heard
    await tx.execute(sql`delete from oauth_tokens`)
    await tx.delete(oauthGrants)
  })
  await clock.advance(5_000)
  expect((await served.listTools(access)).status).toBe(401)
})

test('a stream that stands open is cut when its client is disconnected, within ten seconds', async () => {
  const { access } = await served.connect(served.agents.research)
  const stream = await fetch(`${served.origin}/mcp`, {
    headers: { authorization: `Bearer ${access}`, accept: 'text/event-stream' },
  })
  expect(stream.status).toBe(200)
  const { items } = (await served.api('GET', `/api/agents/${served.agents.research}/clients`)).body
  await served.api('DELETE', `/api/agents/${served.agents.research}/clients/${items[0].id}`)
  const since = performance.now()
  await expect(stream.text()).rejects.toThrow()
  expect(performance.now() - since).toBeLessThan(10_000)
})

test('an agent that is switched off is refused at once, and works again when it is switched on', async () => {
  const { access } = await served.connect(served.agents.research)
  const switchTo = (enabled: boolean) => served.api('PATCH', `/api/agents/${served.agents.research}`, { enabled })
  expect((await served.listTools(access)).tools).toEqual(['research__search'])
  await switchTo(false)
  await expect.poll(async () => (await served.listTools(access)).tools).not.toEqual(['research__search'])
  await switchTo(true)
  await expect.poll(async () => (await served.listTools(access)).tools).toEqual(['research__search'])
})

test('with the agent, or with the place of who consented, the grant ends', async () => {
  const admin = await signedIn(served.plane, 'account_home', 'admin')
  const created = await served.api('POST', '/api/agents', { name: 'short-lived' }, admin)
  const { access } = await served.connect(created.body.id)
  expect((await served.listTools(access)).status).toBe(200)
  await served.store.system((tx) => tx.delete(agents).where(eq(agents.id, created.body.id)))
  await expect.poll(async () => (await served.listTools(access)).status).toBe(401)

  const given = await served.connect(served.agents.research, admin)
  expect((await served.listTools(given.access)).status).toBe(200)
  await served.store.system((tx) => tx.delete(members).where(eq(members.userId, admin.userId)))
  await clock.advance(5_000)
  expect((await served.listTools(given.access)).status).toBe(401)
  expect(await errorOf(await served.refresh(given.clientId, given.refreshToken))).toEqual([400, 'invalid_grant'])
})

test('no code and no token is stored as it is, nor told in a list or a record', async () => {
  const { code, ...asked } = await served.codeFor(served.agents.research)
  const tokens = (await (await served.exchange({ code, ...asked })).json()) as Record<string, string>
  const dump = await served.store.system(async (tx) => {
    const tables = ['oauth_clients', 'oauth_grants', 'oauth_codes', 'oauth_tokens', 'activities']
    const rows = []
    for (const table of tables) rows.push((await tx.execute(sql`select * from ${sql.identifier(table)}`)).rows)
    return rows
  })
  const { body } = await served.api('GET', `/api/agents/${served.agents.research}/clients`)
  const shown = JSON.stringify([dump, body])
  expect(shown).toContain('Desk')
  for (const secret of [code, tokens['access_token']!, tokens['refresh_token']!]) expect(shown).not.toContain(secret)
})

test('what is past its time is removed, and with it clients that nobody wants', async () => {
  const kept = await served.connect(served.agents.research)
  const { body } = await served.register()
  const old = sql`now() - interval '31 days'`
  await served.store.system(async (tx) => {
    await tx.update(oauthClients).set({ createdAt: old })
    await tx.insert(oauthGrants).values({
      id: 'grant_0000000000000000',
      accountId: 'account_home',
      agentId: served.agents.research,
      userId: served.operator.userId,
      clientId: body.client_id,
      clientName: 'Gone',
      redirectHost: 'x',
      resource: `${served.origin}/mcp`,
      expiresAt: new Date(Date.now() - 1_000),
    })
    await forgetOldGrants(tx)
    await forgetUnusedClients(tx)
  })
  const left = await served.store.system(async (tx) => [
    await tx.select({ id: oauthClients.id }).from(oauthClients),
    await tx.select({ name: oauthGrants.clientName }).from(oauthGrants).where(eq(oauthGrants.clientName, 'Gone')),
  ])
  expect(left[0]).toContainEqual({ id: kept.clientId })
  expect(left[0]).not.toContainEqual({ id: body.client_id })
  expect(left[1]).toEqual([])
  expect((await served.listTools(kept.access)).status).toBe(200)
})

test('of registrations that nobody consented to a bounded number is kept, the oldest go first; what is in use stays', async () => {
  const kept = await served.connect(served.agents.research)
  const registered: string[] = []
  for (let n = 0; n < 6; n += 1) {
    const client = { name: `flood ${n}`, redirectUris: ['http://127.0.0.1/callback'] }
    registered.push((await served.store.system((tx) => insertClient(tx, client, 4))).id)
  }
  const left = (await served.store.system((tx) => tx.select({ id: oauthClients.id }).from(oauthClients))).map(
    ({ id }) => id,
  )
  expect(left.filter((id) => registered.includes(id))).toEqual(expect.arrayContaining(registered.slice(-4)))
  expect(left.filter((id) => registered.includes(id))).toHaveLength(4)
  expect(left).toContain(kept.clientId)
  expect((await served.listTools(kept.access)).status).toBe(200)
})

test('a client acts for a person only as long as that person may let one in', async () => {
  const { clientId, access, refreshToken } = await served.connect(served.agents.research)
  const become = async (role: string) => {
    const as = await signedIn(served.plane, 'account_home', 'owner')
    const change = await served.api('PATCH', `/api/members/${served.operator.userId}`, { role }, as)
    expect(change.status).toBe(200)
  }
  await become('viewer')
  expect((await served.listTools(access)).status).toBe(401)
  expect(await errorOf(await served.refresh(clientId, refreshToken))).toEqual([400, 'invalid_grant'])
  await become('operator')
  expect((await served.listTools(access)).status).toBe(200)
})
