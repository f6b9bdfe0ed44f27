import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { issueSignInLink } from './accounts/sign-in-link.store.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlaneDeps } from './control-plane.types.ts'
import { ownNames } from './http/same-site.ts'
import { ROOT_KEY } from './master-key/root-key.store.ts'
import { newId } from './new-id.ts'
import { type Clock, systemClock } from './reconcile/clock.ts'
import { digestOf } from './secret.ts'
import type { Store, Tx } from './store/connect.ts'
import {
  accounts,
  agents,
  agentTokens,
  apiTokens,
  approvals,
  calls,
  groups,
  imageArchives,
  instances,
  invitations,
  members,
  oauthGrants,
  passkeys,
  rollouts,
  rootKeys,
  sessions,
  toolbeltItems,
  toolboxes,
  users,
} from './store/schema/index.ts'
import { createSealer } from './store/seal.ts'
import { openTestStore } from './store/testing.ts'

export const ORIGIN = 'http://localhost:3000'

const MASTER_KEY = Buffer.alloc(32, 7)

/** Headers that make a request one of this caller's. */
export type As = Readonly<Record<string, string>>
export const NOBODY: As = {}

export type TestControlPlane = Awaited<ReturnType<typeof openTestControlPlane>>

/** A whole control plane in this process, on a database of its own, without a network and without a local toolbox. */
export async function openTestControlPlane(
  clock: Clock = systemClock,
  {
    publicUrl = ORIGIN,
    fetch = noDigitalOcean,
    store: given,
    ...more
  }: Partial<ControlPlaneDeps> & { readonly fetch?: typeof globalThis.fetch } = {},
) {
  const store = given ?? (await openTestStore())
  await store.system(derivingFromMasterKey)
  const stop = new AbortController()
  const callsDir = mkdtempSync(join(tmpdir(), 'agentopia-calls-'))
  const archivesDir = mkdtempSync(join(tmpdir(), 'agentopia-archives-'))
  const controlPlane = await startControlPlane({
    store,
    masterKeys: { current: MASTER_KEY, others: [] },
    clock,
    log: pino({ level: 'silent' }),
    random: Math.random,
    publicUrl,
    own: ownNames({ host: '127.0.0.1', port: 3000 }, ORIGIN),
    pageDir: '/nowhere',
    callsDir,
    archivesDir,
    version: '0.0.0-test',
    machines: {
      imageName: 'agentopia-dtma:test',
      limits: { ofAccount: 20, ofAll: 10_000 },
      digitalOceanUrl: 'http://digitalocean',
      fetch,
    },
    agentToolIdleMs: 900_000,
    signal: stop.signal,
    ...more,
  })

  const request = async (method: string, path: string, as: As = NOBODY, init: RequestInit = {}): Promise<Response> =>
    controlPlane.fetch(new Request(ORIGIN + path, { method, ...init, headers: { ...as, ...init.headers } }))

  /** Stops the control plane; its rows stay. */
  async function end(): Promise<void> {
    stop.abort()
    await controlPlane.stopped
    for (const folder of [callsDir, archivesDir]) rmSync(folder, { recursive: true, force: true })
  }

  return {
    store,
    request,
    /** For a server, when a network is wanted all the same. */
    listener: controlPlane.request,
    upgrade: controlPlane.upgrade,
    /** Sends `body` as JSON. */
    send: (method: string, path: string, as: As, body: unknown) =>
      request(method, path, as, {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    link: (userId: string) => store.system((tx) => issueSignInLink(tx, userId, new Date(clock.now()))),
    end,
    async close() {
      await end()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** As an installation that is older than root keys: what is derived, tests know. */
async function derivingFromMasterKey(tx: Tx): Promise<void> {
  const sealedKey = createSealer(MASTER_KEY).seal(MASTER_KEY.toString('base64'), ROOT_KEY)
  await tx.insert(rootKeys).values({ id: ROOT_KEY.recordId, sealedKey }).onConflictDoNothing()
}

/** Knows nobody's token. */
const noDigitalOcean = async (): Promise<Response> =>
  Response.json({ id: 'unauthorized', message: 'Unable to authenticate you' }, { status: 401 })

/** A person of a role in an account, signed in with a browser. */
export async function signedIn(
  plane: TestControlPlane,
  accountId: string,
  role: Role,
): Promise<As & { userId: string }> {
  const userId = newId('act').replace('act', 'user')
  await plane.store.system(async (tx) => {
    await tx.insert(accounts).values({ id: accountId, name: accountId, slug: accountId }).onConflictDoNothing()
    await tx.insert(users).values({ id: userId, name: role, email: `${userId}@example.com` })
    await tx.insert(members).values({ id: `member_${userId}`, organizationId: accountId, userId, role })
  })
  return { ...(await browserOf(plane, userId)), userId }
}

/** A new browser in which this person is signed in. */
export async function browserOf(plane: TestControlPlane, userId: string): Promise<As> {
  const answer = await plane.send('POST', '/api/session/link', NOBODY, { token: await plane.link(userId) })
  if (answer.status !== 200) throw new Error(`the sign-in answered ${answer.status}: ${await answer.text()}`)
  return { cookie: cookieOf(answer), origin: ORIGIN }
}

export const cookieOf = (answer: Pick<Response, 'headers'>): string =>
  answer.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ')

/** One of everything, in one account. */
export async function furnish(store: Store, accountId: string, userId: string) {
  const ids = {
    toolboxId: newId('toolbox'),
    instanceId: newId('inst'),
    groupId: newId('group'),
    rolloutId: newId('roll'),
    agentId: newId('agent'),
    toolbeltItemId: newId('belt'),
    tokenId: newId('token'),
    passkeyId: newId('passkey'),
    agentTokenId: newId('token'),
    grantId: newId('grant'),
    userId,
    invitationId: newId('invite'),
    sessionId: newId('act'),
    approvalId: newId('appr'),
    callId: newId('call'),
    digest: `sha256:${randomBytes(32).toString('hex')}`,
  }
  const agentSecret = `agt_${newId('token')}`
  const { toolboxId, instanceId, groupId, agentId } = ids
  await store.system(async (tx) => {
    await tx.insert(toolboxes).values({ id: toolboxId, accountId, name: 'alpha', provider: 'join', status: 'active' })
    const member = { instanceId, name: 'demo', toolId: 'everything', needs: [] }
    await tx
      .insert(groups)
      .values({ id: groupId, accountId, toolboxId, name: 'desk', state: 'ready', members: [member] })
    await tx.insert(instances).values({
      id: instanceId,
      accountId,
      toolboxId,
      toolId: 'everything',
      name: 'demo',
      desired: 'running',
      config: {},
    })
    await tx
      .insert(rollouts)
      .values({ id: ids.rolloutId, accountId, versions: { container: '9.9.9' }, actor: 'x', state: 'halted' })
    await tx.insert(agents).values({ id: agentId, accountId, name: 'helper' })
    const token = { accountId, name: 'a token', hint: 'x' }
    await tx.insert(agentTokens).values({ ...token, id: ids.agentTokenId, agentId, digest: digestOf(agentSecret) })
    await tx.insert(passkeys).values({
      id: ids.passkeyId,
      userId,
      name: 'a passkey',
      credentialId: ids.passkeyId,
      publicKey: 'x',
      counter: 0,
      transports: [],
      synced: false,
    })
    const expiresAt = new Date(Date.now() + 3_600_000)
    await tx.insert(approvals).values({
      id: ids.approvalId,
      accountId,
      agentId,
      agentName: 'helper',
      toolbeltItemId: ids.toolbeltItemId,
      instanceName: 'demo',
      capability: 'echo',
      callId: newId('call'),
      via: 'mcp',
      argumentDigest: 'x',
      argumentBytes: 2,
      owner: 'another process',
      heldUntil: expiresAt,
      expiresAt,
    })
    await tx.insert(sessions).values({ id: ids.sessionId, userId, token: ids.sessionId, expiresAt })
    await tx.insert(invitations).values({
      id: ids.invitationId,
      organizationId: accountId,
      email: 'invited@example.com',
      role: 'viewer',
      inviterId: userId,
      digest: ids.invitationId,
      expiresAt: new Date(Date.now() + 3_600_000),
    })
    await tx.insert(oauthGrants).values({
      id: ids.grantId,
      accountId,
      agentId,
      userId,
      clientId: 'client_0000000000000000',
      clientName: 'a client',
      redirectHost: '127.0.0.1:7000',
      resource: `${ORIGIN}/mcp`,
      connectedAt: new Date(),
      expiresAt: new Date(Date.now() + 3_600_000),
    })
    await tx.insert(calls).values({
      id: ids.callId,
      accountId,
      agentId,
      agentName: 'helper',
      capability: 'echo',
      outcome: 'ok',
      startedAt: new Date(),
      durationMs: 1,
      argumentDigest: 'x',
      argumentBytes: 2,
    })
    await tx.insert(imageArchives).values({ accountId, digest: ids.digest, size: 1 })
    await tx.insert(toolbeltItems).values({ id: ids.toolbeltItemId, accountId, agentId, instanceId })
    await tx.insert(apiTokens).values({ ...token, id: ids.tokenId, userId, role: 'viewer', digest: ids.tokenId })
  })
  return { ids, agent: { authorization: `Bearer ${agentSecret}` } as As }
}

/** An account of its own with one of everything, and somebody of this role who is signed in. */
export async function furnishedAccount(plane: TestControlPlane, role: Role) {
  const accountId = `account_${newId('act').slice(4)}`
  const { userId, ...as } = await signedIn(plane, accountId, role)
  return { accountId, as: as as As, ids: (await furnish(plane.store, accountId, userId)).ids }
}

/** As {@link furnishedAccount}; its toolbox has enrolled, and `token` is what it shows. */
export async function accountWithDtma(plane: TestControlPlane, role: Role) {
  const { accountId, as, ids } = await furnishedAccount(plane, role)
  const token = `dtma-${newId('token')}`
  const dtmaBearerToken = digestOf(token)
  await plane.store.system((tx) => tx.update(toolboxes).set({ dtmaBearerToken }).where(eq(toolboxes.id, ids.toolboxId)))
  return { accountId, as, toolboxId: ids.toolboxId, token }
}

export interface TestJson {
  readonly code: string
  readonly detail: string
  readonly secret: string
  readonly token: { readonly id: string }
  readonly items: readonly { readonly id: string; readonly subject: string }[]
  readonly nextCursor?: string
}

/** What tests read of answers. */
export const jsonOf = async (answer: Response): Promise<TestJson> => (await answer.json()) as TestJson
