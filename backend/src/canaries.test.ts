import { generateKeyPairSync } from 'node:crypto'
import {
  acceptInvitation,
  beginSignOnProof,
  createAgentToken,
  createApiToken,
  createInvitation,
  createJoinLine,
  createToolbox,
  decideAuthorization,
  finishConnection,
  finishSignOn,
  linkSignOn,
  makeSshKey,
  OPERATIONS,
  proveByPassword,
  putCredential,
  putOAuthClient,
  putRegistryCredential,
  readInvitation,
  redeemSignInLink,
  runOverSsh,
  setPassword,
  setProviderToken,
  signIn,
  startConnection,
  startSignOn,
  type UserOperation,
} from '@agentopia/api'
import { createEmulator } from '@agentopia/testbed/emulator'
import { CLIENT, openProvider } from '@agentopia/testbed/openid-provider'
import { is, sql } from 'drizzle-orm'
import { getTableConfig, type PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { REDIRECT, requestOf } from './accounts/oauth/oauth.testing.ts'
import { listApprovalRows } from './approvals/approval.store.ts'
import { createSower, rowsOf, secretPlacesOf, textsAt, withCookie, withSecrets } from './canaries.testing.ts'
import { openTestConnections, type TestConnections } from './connections/connections.testing.ts'
import { cookieOf, NOBODY } from './control-plane.testing.ts'
import { BODIES, nowhere, pathOf } from './every-operation.testing.ts'
import { createExecuteOnce } from './gateway/execute-once.ts'
import { openTestGateway, post, type TestGateway, toolCall } from './gateway/gateway.testing.ts'
import { createLog } from './log.ts'
import { SEALED_COLUMNS } from './master-key/sealed-columns.ts'
import { storePayloadRule } from './payloads/payload.store.ts'
import { systemClock } from './reconcile/clock.ts'
import type { Store } from './store/connect.ts'
import * as schema from './store/schema/index.ts'
import { createSealer } from './store/seal.ts'
import { newKey } from './uplink/uplink.testing.ts'

// Every secret that the contract marks, or a column holds, is sown in one control plane, and then looked for in what is stored, logged
// and answered. The lists are those of the contract and of the tables: a new secret without a canary fails here.

const operations = OPERATIONS as readonly UserOperation[]
const tables = Object.values(schema as Record<string, unknown>).filter((one) => is(one, PgTable)) as PgTable[]
const emulator = createEmulator()
const logged: string[] = []

let provider: Awaited<ReturnType<typeof openProvider>>
let world: TestConnections
let gateway: TestGateway
let sower: ReturnType<typeof createSower>

beforeAll(async () => {
  provider = await openProvider()
  let tokens = 0
  world = await openTestConnections({
    log: createLog({ level: 'debug', to: { write: (line) => logged.push(line) } }),
    accessToken: () => sower.canary(`access token ${++tokens} of a service`),
    signOn: { issuer: provider.issuer, ...CLIENT, domains: ['example.com'], role: 'viewer', label: 'Example' },
    machines: {
      imageName: 'agentopia-dtma:test',
      limits: { ofAccount: 20, ofAll: 10_000 },
      digitalOceanUrl: 'http://do',
      fetch: emulator.fetch,
    },
  })
  sower = createSower(world.plane.request)
  gateway = await openTestGateway()
  await sowPeople()
  await sowServices()
  await sowMachines()
  await sowClients()
  await sowCalls()
})
afterAll(async () => {
  await world?.close()
  await gateway?.close()
  await provider?.close()
})

async function sowPeople(): Promise<void> {
  const { ask, canary, sown } = sower
  const { operator: owner, userId, plane } = world
  sown.set('master key', Buffer.alloc(32, 7).toString('base64'))
  sown.set('session', decodeURIComponent(owner['cookie']!.split('=')[1]!))
  sown.set('secret of the client of single sign-on', CLIENT.clientSecret)
  const password = canary('password')
  await ask(setPassword, setPassword.path, owner, { newPassword: password, email: 'owner@example.com' })
  await ask(signIn, signIn.path, NOBODY, { email: 'owner@example.com', password })
  await ask(signIn, signIn.path, NOBODY, { email: 'owner@example.com', password: canary('wrong password') }, MAY_FAIL)
  await ask(proveByPassword, proveByPassword.path, owner, { password })
  await ask(redeemSignInLink, redeemSignInLink.path, NOBODY, { token: await plane.link(userId) })
  sown.set('open sign-in link', await plane.link(userId))
  await ask(createApiToken, createApiToken.path, owner, { name: 'ci', role: 'admin' })

  const guest = { email: 'guest@example.com', role: 'viewer' }
  const { json: invited } = await ask(createInvitation, createInvitation.path, owner, guest)
  const token = invited.link.split('#')[1]
  await ask(readInvitation, readInvitation.path, NOBODY, { token })
  const guestPassword = canary('password of a guest')
  await ask(acceptInvitation, acceptInvitation.path, NOBODY, { token, name: 'Guest', password: guestPassword })
  const { json } = await ask(createInvitation, createInvitation.path, owner, { ...guest, email: 'late@example.com' })
  sown.set('open invitation', json.link.split('#')[1])

  const away = await ask(startSignOn, startSignOn.path, NOBODY, {})
  const { answer } = provider.consent(away.json.authorizationUrl)
  const back = await ask(finishSignOn, finishSignOn.path, withCookie(NOBODY, away.headers), answer)
  await ask(beginSignOnProof, beginSignOnProof.path, withCookie(NOBODY, back.headers))
  const linking = await ask(linkSignOn, linkSignOn.path, owner)
  sown.set('binding of a sign-on', cookieOf(linking).split('=')[1]!)
}

async function sowServices(): Promise<void> {
  const { ask, canary } = sower
  const { operator: owner, item, ids, server } = world
  const started = await ask(startConnection, `${item}/connection`, owner)
  await ask(finishConnection, finishConnection.path, owner, server.consent(started.json.authorizationUrl))
  await ask(startConnection, `${item}/connection`, owner) // stays open
  for (const token of server.goodRefreshTokens()) sower.sown.set('refresh token of a service', token)
  const clientSecret = canary('secret of an OAuth client')
  await ask(putOAuthClient, putOAuthClient.path, owner, { issuer: server.origin, clientId: 'x', clientSecret })
  await ask(putCredential, pathOf(putCredential, ids), owner, { values: { other: canary('credential') } })
  const registry = { ...ids, registry: 'registry.example:5000' }
  const login = { username: 'robot', password: canary('password of a registry') }
  await ask(putRegistryCredential, pathOf(putRegistryCredential, registry), owner, login)
  await ask(setProviderToken, setProviderToken.path, owner, { token: emulator.world.token })
}

async function sowMachines(): Promise<void> {
  const { ask, canary, sown } = sower
  const { operator: owner, ids, plane } = world
  const { json: joining } = await ask(createJoinLine, pathOf(createJoinLine, ids), owner)
  const [enrolment] = /enrol_[\w-]+/.exec(joining.line)!
  const enrolled = await plane.send('POST', '/dtma/enrol', NOBODY, newKey()(ids.toolboxId, enrolment))
  expect(enrolled.status).toBe(201)
  const dtma = (await enrolled.json()) as Readonly<Record<string, string>>
  for (const name of ['dtmaBearerToken', 'backendToDtmaApiKey']) sown.set(`${name} of DTMA`, dtma[name]!)

  await ask(makeSshKey, makeSshKey.path, owner)
  const place = { host: '127.0.0.1', port: 1, user: 'root' }
  const { json: server } = await ask(createToolbox, createToolbox.path, owner, { provider: 'ssh', name: 'x', ...place })
  const run = pathOf(runOverSsh, { toolboxId: server.id })
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  for (const login of [
    { type: 'password', password: canary('password of a server') },
    { type: 'private-key', privateKey: pem, passphrase: canary('passphrase') },
    { type: 'private-key', privateKey: canary('key of a server, as somebody pasted it') },
  ])
    await ask(runOverSsh, run, owner, { action: 'install', hostKey: 'SHA256:x', login }, MAY_FAIL)
}

/** Programs that act as an agent. */
async function sowClients(): Promise<void> {
  const { ask, sown } = sower
  const { operator: owner, ids, plane } = world
  await ask(createAgentToken, pathOf(createAgentToken, ids), owner, { name: 'laptop' })
  const registration = { redirect_uris: [REDIRECT], client_name: 'Desk' }
  const registered = await plane.send('POST', '/oauth/register', NOBODY, registration)
  const { client_id: clientId } = (await registered.json()) as { client_id: string }
  const verifier = `verifier-${crypto.randomUUID()}-${crypto.randomUUID()}`
  const query = new URLSearchParams(requestOf(clientId, verifier))
  const sent = await plane.request('GET', `/oauth/authorize?${query}`)
  const request = new URL(sent.headers.get('location')!, 'http://localhost:3000').pathname.replace('/connect/', '')
  const decision = { kind: 'agent', agentId: ids.agentId }
  const { json } = await ask(decideAuthorization, decideAuthorization.path, owner, { request, decision })
  const code = new URL(json.redirectTo).searchParams.get('code')!
  const exchange = { grant_type: 'authorization_code', client_id: clientId, code, code_verifier: verifier }
  const body = new URLSearchParams({ ...exchange, redirect_uri: REDIRECT })
  const tokens = await plane.request('POST', '/oauth/token', NOBODY, { body })
  const got = (await tokens.json()) as Record<string, string>
  const named = { code, verifier, 'access token': got['access_token']!, 'refresh token': got['refresh_token']! }
  for (const [kind, value] of Object.entries(named)) sown.set(`${kind} of a client`, value)
}

/** What agents send, and tools answer, where it is kept; over the gateway, whose tools answer. */
async function sowCalls(): Promise<void> {
  const { canary } = sower
  const { store, agentId } = gateway
  const accountId = 'account_1'
  await store.tenant(accountId, (tx) =>
    storePayloadRule(tx, accountId, undefined, { days: 1, mostBytes: 65_536, redact: [] }),
  )
  await post(gateway, toolCall('demo__echo', { text: canary('argument that is kept') }))
  await gateway.calls()
  await gateway.payloads.flush()

  await store.system((tx) => tx.update(schema.capabilityPermissions).set({ ask: true }))
  const asked = post(gateway, toolCall('demo__echo', { text: canary('argument that a person is asked about') }))
  asked.catch(() => undefined) // nobody decides
  await vi.waitFor(async () =>
    expect(await store.tenant(accountId, (tx) => listApprovalRows(tx, { state: 'waiting', limit: 1 }))).toHaveLength(1),
  )
  const sealer = createSealer(Buffer.alloc(32, 7))
  const once = createExecuteOnce({ store, sealer, clock: systemClock, log: pino({ level: 'silent' }) })
  const call = { accountId, agentId, key: 'once', request: { text: canary('argument that comes twice') } }
  const answer = { callId: 'call_1', durationMs: 1, result: { text: canary('answer that is kept') } }
  await once({ ...call, timeoutMs: 1_000, waitMs: 0 }, async () => answer)
}

const MAY_FAIL = { mayFail: true }

test.each(operations.filter((op) => secretPlacesOf(op).length > 0))(
  'K01 every secret that $id takes or shows was sown',
  ({ id, ...op }) => {
    for (const place of secretPlacesOf({ id, ...op })) expect([...sower.sown.keys()]).toContain(`${id} ${place}`)
  },
)

/** By column: why nothing is sown there. */
const NO_SECRET: Readonly<Record<string, string>> = {
  'sign_ins.access_token': 'the library has it; we throw away what a provider gives',
  'sign_ins.refresh_token': 'the same',
  'sign_ins.id_token': 'the same',
  'agent_tool_offers.digest': 'of what is offered',
  'agent_tools.welcomed_digest': 'the same',
  'account_tool_instances.capability_digest': 'the same',
  'tool_calls.capability_digest': 'the same',
  'tool_calls.spec_digest': 'of a public specification',
  'tool_calls.secrets_seen': 'names of kinds',
  'call_settings.secrets': 'what is to be done about them',
  'image_archives.digest': 'of an image',
  'account_tool_environments.ssh_host_key': 'public',
  'account_tool_environments.key_rotation_asked': 'an id and a time',
  'account_tool_environments.key_rotation_refusal': 'a sentence',
  'idempotency_keys.key': 'of the caller; opens nothing',
  'idempotency_keys.request_digest': 'no operation that remembers its answers takes a secret',
  'idempotency_keys.reply': 'nor shows one',
}
const SMELL =
  /secret|token$|digest|sealed|password|verifier|private|(?:^|_)key(?:_|$)|answer|challenge|arguments$|reply/

test('K01 every column that may hold a secret, or something made of one, holds something now', async () => {
  const held: string[] = []
  const empty: string[] = []
  for (const table of tables)
    for (const column of getTableConfig(table).columns) {
      const isSealed = SEALED_COLUMNS.some((place) => place.table === table && place.column === column)
      if (!isSealed && !SMELL.test(column.name)) continue
      const name = `${getTableConfig(table).name}.${column.name}`
      held.push(name)
      const counts = await Promise.all([world.plane.store, gateway.store].map((store) => countOf(store, table, column)))
      if (counts.every((count) => count === 0)) empty.push(name)
    }
  expect(empty.filter((name) => !Object.hasOwn(NO_SECRET, name))).toEqual([])
  expect(Object.keys(NO_SECRET).filter((name) => !held.includes(name))).toEqual([])
})

const countOf = (store: Store, table: PgTable, column: PgColumn): Promise<number> =>
  store.system(async (tx) => {
    const { rows } = await tx.execute<{ count: string }>(sql`select count(${column}) as count from ${table}`)
    return Number(rows[0]!.count)
  })

test('no operation that remembers what it answered takes or shows a secret', () => {
  const remember = operations.filter(({ problems }) => problems.includes('idempotency-key-reused'))
  const secret = remember.filter((op) => op.id !== 'executeCapability' && secretPlacesOf(op).length > 0)
  expect([remember.length > 3, secret]).toEqual([true, []])
})

test('K01 K02 no row of the database holds one', async () => {
  for (const store of [world.plane.store, gateway.store]) expect(sower.foundIn(await rowsOf(store))).toEqual([])
  expect(await rowsOf(world.plane.store)).toContain(world.ids.agentId)
})

test('K01 no answer holds one elsewhere than where the contract says so', () => {
  expect(sower.answered.length).toBeGreaterThan(40)
  expect(sower.foundIn(sower.answered.join('\n'))).toEqual([])
})

describe.each(operations.filter(({ method }) => method === 'GET'))('$id', (op) => {
  test('K01 M10 answers with none, headers and all', async () => {
    const answer = await world.plane.request('GET', pathOf(op, { ...nowhere, ...world.ids }), world.operator)
    if (op.event) return void (await answer.body?.cancel())
    const text = JSON.stringify([...answer.headers]) + (await answer.text())
    expect([op.id, answer.status !== 500, sower.foundIn(text)]).toEqual([op.id, true, []])
  })
})

const taking = operations.filter((op) => secretPlacesOf(op).some((place) => place.startsWith('body')))
describe.each(taking)('$id', (op) => {
  test.each([
    ['as a list', (secret: string) => [secret]],
    ['as a field', (secret: string) => ({ [secret]: secret })],
    ['a thousand times over', (secret: string) => secret.repeat(2_000)],
  ])('K01 does not repeat the secret that it refuses: %s', async (_, other) => {
    const sent = sower.bodies.get(op.id) ?? BODIES[op.id]
    const secrets = secretPlacesOf(op).flatMap((place) => textsAt(sent, place))
    expect(secrets.length).toBeGreaterThan(0)
    const path = pathOf(op, { ...nowhere, ...world.ids })
    const answer = await world.plane.send(op.method, path, world.operator, withSecrets(sent, secrets, other))
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(sower.foundIn(await answer.text())).toEqual([])
  })
})

test('K01 no line of the log holds one', () => {
  expect(logged.length).toBeGreaterThan(100)
  expect(sower.foundIn(logged.join('\n'))).toEqual([])
})

test('what is looked for is found where it is, in whichever writing', () => {
  const value = sower.sown.get('credential')!
  for (const text of [value, `key=${encodeURIComponent(value)}`, Buffer.from(`xy${value}z`).toString('base64')])
    expect(sower.foundIn(text)).toEqual([expect.stringMatching(/credential/i), expect.anything()])
})
