import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestGateway, post, RESOURCE, type TestGateway, toolCall } from '../../gateway/gateway.testing.ts'
import { accounts, members, users } from '../../store/schema/index.ts'
import { insertGrant } from './grant.store.ts'
import { challengeFor } from './oauth.testing.ts'
import { exchangeCode } from './token.store.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await openTestGateway()
})
afterAll(() => gateway.close())

test('M03 ★ a call of a connected client reaches the tool, its token does not', async () => {
  const now = new Date()
  const verifier = 'v'.repeat(43)
  const tokens = await gateway.store.system(async (tx) => {
    const of = { accountId: 'account_1', userId: 'user_1' }
    await tx.insert(accounts).values({ id: of.accountId, name: 'one', slug: 'one' })
    await tx.insert(users).values({ id: of.userId, name: 'one', email: 'one@example.com' })
    await tx.insert(members).values({ id: 'm', organizationId: of.accountId, userId: of.userId, role: 'operator' })
    const client = { clientId: 'client_1', clientName: 'Desk', redirectHost: 'x', redirectUri: 'http://localhost/cb' }
    const consent = { ...of, ...client, agentId: gateway.agentId, resource: RESOURCE }
    const { code } = await insertGrant(tx, { ...consent, codeChallenge: challengeFor(verifier) }, now)
    const given = await exchangeCode(
      tx,
      { clientId: 'client_1', redirectUri: undefined, code, codeVerifier: verifier },
      now,
    )
    return 'tokens' in given ? given.tokens : undefined
  })
  const secret = tokens!.accessToken
  const { status, body } = await post({ url: gateway.url, secret }, toolCall('demo__echo', { text: 'hello' }))
  expect([status, body.result['content']]).toEqual([200, [{ type: 'text', text: 'hello' }]])
  expect(gateway.dtma.seen).toHaveLength(1)
  const seen = JSON.stringify(gateway.dtma.seen)
  expect(seen).toContain('hello')
  for (const token of [secret, tokens!.refreshToken, secret.slice(4, 20)]) expect(seen).not.toContain(token)
  expect(await gateway.calls()).toMatchObject([{ agentId: gateway.agentId, capability: 'echo', outcome: 'ok' }])
})
