import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { API_VERSION, enrol, type heartbeat, type Input, renew } from '@agentopia/dtma/contract'
import { Hono } from 'hono'
import { pino } from 'pino'
import { problemResponse } from '../http/problem-response.ts'
import { RateLimited } from '../http/rate-limited.ts'
import { newId } from '../new-id.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { createSealer } from '../store/seal.ts'
import { findToolbox, type ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { createChallenges } from './challenges.ts'
import { enrolRoutes } from './enrol.routes.ts'
import { issueEnrolmentToken } from './enrolment.store.ts'
import { createHeartbeatDoor } from './heartbeat.door.ts'
import { createHeartbeats, type HeartbeatDeps, heartbeatRoutes } from './heartbeat.routes.ts'
import { renewalRoutes } from './renewal.routes.ts'
import { createTurns, type Turns } from './turns.ts'

export type EnrolBody = Input<typeof enrol>['body']
export type BeatBody = Input<typeof heartbeat>['body']

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** An Ed25519 key pair as DTMA makes it, and the enrolment request that it signs. */
export function newKey({ publicKey, privateKey }: KeyPair = generateKeyPairSync('ed25519')) {
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  return (toolboxId: string, token: string, over: Partial<EnrolBody> = {}): EnrolBody => ({
    toolboxId,
    token,
    publicKey: spki,
    signature: sign(null, Buffer.from(`enrol:${toolboxId}:${token}`), privateKey).toString('base64'),
    dtmaVersion: '0.1.0',
    apiVersion: API_VERSION,
    machine: { hostname: 'box', os: 'Debian', arch: 'x64' },
    ...over,
  })
}

export const beatOf = (runId: string, seq: number, over: Partial<BeatBody> = {}): BeatBody => ({
  runId,
  seq,
  dtmaVersion: '0.1.0',
  apiVersion: API_VERSION,
  docker: { state: 'ok', version: '28.0.0' },
  ...over,
})

/** The uplink in this process, on a real store and a clock that stands still. */
export function openUplink(store: Store, onToolReports: HeartbeatDeps['onToolReports'] = async () => {}) {
  const clock = manualClock()
  const sealer = createSealer(Buffer.alloc(32, 7))
  const enrolled: string[] = []
  const news: string[] = []
  const quarantined: string[] = []
  const challenges = createChallenges(Buffer.alloc(32, 7), clock.now)
  const lines = { full: false }
  const { take, requireRoom } = createTurns()
  const turns: Turns = {
    requireRoom: (kind) => {
      if (lines.full) throw new RateLimited('full', 1)
      requireRoom(kind)
    },
    take: (kind, act) => (lines.full ? Promise.reject(new RateLimited('full', 1)) : take(kind, act)),
  }
  const app = new Hono()
  app.onError(problemResponse(pino({ level: 'silent' })))
  enrolRoutes(app, {
    store,
    sealer,
    clock,
    turns,
    releaseKey: 'the public key of releases',
    onEnrolled: (id) => enrolled.push(id),
  })
  renewalRoutes(app, { store, clock, turns, challenges, onQuarantined: (id) => quarantined.push(id) })
  const takeHeartbeat = createHeartbeats({
    store,
    clock,
    turns,
    packages: { npm: 'https://npm.example' },
    onToolReports,
    onNews: (id) => news.push(id),
  })
  heartbeatRoutes(app, takeHeartbeat, createHeartbeatDoor({ store, clock }))

  async function post(path: string, body: unknown, token?: string, signal?: AbortSignal): Promise<Answer> {
    const response = await app.request(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(signal ? { signal } : {}),
    })
    return { status: response.status, json: (await response.json()) as Reply }
  }

  return {
    app,
    takeHeartbeat,
    clock,
    /** Of toolboxes that wait: where they are full, whoever comes is told to come again. */
    lines,
    sealer,
    enrolled,
    quarantined,
    news,
    challenges,
    enrol: (body: unknown, signal?: AbortSignal) => post(enrol.path, body, undefined, signal),
    renew: (body: unknown) => post(renew.path, body),
    beat: (token: string | undefined, body: unknown) => post('/dtma/heartbeat', body, token),
    token: (toolbox: Pick<ToolboxRow, 'id' | 'accountId'>) =>
      store.system((tx) => issueEnrolmentToken(tx, toolbox, new Date(clock.now()))),
    /** A toolbox that is enrolled, and its DTMA_BEARER_TOKEN. */
    async joined(over: Partial<typeof toolboxes.$inferInsert> = {}): Promise<{ id: string; bearer: string }> {
      const toolbox = await insertToolbox(store, over)
      const reply = await this.enrol(newKey()(toolbox.id, await this.token(toolbox)))
      return { id: toolbox.id, bearer: reply.json.dtmaBearerToken! }
    },
    row: async (id: string): Promise<ToolboxRow> => (await store.system((tx) => findToolbox(tx, id)))!,
  }
}

interface Answer {
  readonly status: number
  readonly json: Reply
}

interface Reply {
  readonly code?: string
  readonly detail?: string
  readonly epoch?: number
  readonly dtmaBearerToken?: string
  readonly backendToDtmaApiKey?: string
  readonly nextInSeconds?: number
  readonly wantReport?: boolean
  readonly counter?: number
}

export async function insertToolbox(
  store: Store,
  over: Partial<typeof toolboxes.$inferInsert> = {},
): Promise<ToolboxRow> {
  const id = newId('toolbox')
  const values = {
    id,
    accountId: 'account-a',
    name: id.slice(8),
    provider: 'local',
    status: 'provisioning',
    ...over,
  } as const
  const [row] = await store.system((tx) => tx.insert(toolboxes).values(values).returning())
  return row!
}
