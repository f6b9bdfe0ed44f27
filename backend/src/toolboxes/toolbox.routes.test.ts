import { diagnoseToolbox, type Observation, Toolbox } from '@agentopia/api'
import { createClient } from '@agentopia/dtma/contract'
import { Hono } from 'hono'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Caller } from '../http/caller.ts'
import { createMount } from '../http/mount.ts'
import { problemResponse } from '../http/problem-response.ts'
import { newId } from '../new-id.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { instances } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { insertToolbox } from '../uplink/uplink.testing.ts'
import { toolboxRoutes } from './toolbox.routes.ts'
import { createToolboxViews } from './toolbox.views.ts'

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const observation: Observation = {
  code: 'unreachable',
  summary: 's',
  evidence: ['e'],
  nextStep: 'n',
  since: '2026-01-01T00:00:00.000Z',
  observedAt: '2026-01-01T00:00:00.000Z',
}

const CHECKS = [
  { id: 'docker', ok: true, finding: 'Docker 29 answers' },
  { id: 'disk-space', ok: false, finding: '0.1 of 25.0 GiB are free', fix: 'Enlarge the disk.' },
]

/** The routes as a viewer of a fresh account sees them. */
function scene(accountId: string = newId('act')) {
  const clock = manualClock()
  const app = new Hono()
  app.onError(problemResponse(pino({ level: 'silent' })))
  const caller: Caller = { kind: 'user', accountId, userId: 'u', role: 'viewer', actor: 'x@example.com' }
  const looked: string[] = []
  const connected = new Set<string>()
  const door = { authenticate: async () => caller, requirePresence: async () => {}, clientAddress: () => 'unknown' }
  toolboxRoutes(createMount({ app, ...door }), {
    store,
    views: createToolboxViews({
      clock,
      isConnected: (id) => connected.has(id),
      newest: () => ({}),
      listeningSince: () => 0,
    }),
    look: async (id) => {
      looked.push(id)
      return observation
    },
    clientOf: () =>
      createClient({
        baseUrl: 'http://dtma',
        fetch: async (url) => Response.json({ checks: url.endsWith('/diagnostics') ? CHECKS : [] }),
      }),
  })
  const request = async (path: string, method = 'GET') => {
    const response = await app.request(path, { method })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }
  return { accountId, clock, looked, connected, request }
}

test('a list is read page by page, in order of name, each toolbox once', async () => {
  const { accountId, request } = scene()
  for (const name of ['c', 'a', 'e', 'b', 'd']) await insertToolbox(store, { accountId, name })
  const names: string[] = []
  let cursor: string | undefined
  do {
    const { json } = await request(`/api/toolboxes?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
    names.push(...(json.items as { name: string }[]).map(({ name }) => name))
    cursor = json.nextCursor as string | undefined
  } while (cursor)
  expect(names).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test("another account's toolbox is not found, listed or looked at", async () => {
  const mine = scene()
  const { id } = await insertToolbox(store, { accountId: 'somebody-else' })
  expect((await mine.request('/api/toolboxes')).json.items).toEqual([])
  for (const [path, method] of [
    [`/api/toolboxes/${id}`, 'GET'],
    [`/api/toolboxes-user/${id}/refresh-status`, 'GET'],
    [`/api/toolboxes-user/${id}/refresh-status`, 'POST'],
    [`/api/toolboxes/${id}/diagnostics`, 'GET'],
  ] as const)
    expect(await mine.request(path, method)).toMatchObject({ status: 404, json: { code: 'toolbox-not-found' } })
  expect(mine.looked).toEqual([])
})

test('a toolbox shows its connection, its silence and its tools', async () => {
  const { accountId, request, clock, connected } = scene()
  const lastHeartbeatAt = new Date(clock.now() - 31_000)
  const { id } = await insertToolbox(store, { accountId, status: 'active', lastHeartbeatAt })
  connected.add(id)
  const tool = (desired: 'running' | 'absent', state: string) => {
    const instanceId = newId('inst')
    const status = { name: instanceId, state, generation: 1 } as never
    return { id: instanceId, accountId, toolboxId: id, toolId: 't', name: instanceId, desired, config: {}, status }
  }
  const rows = [tool('running', 'running'), tool('running', 'exited'), tool('absent', 'running')]
  await store.system((tx) => tx.insert(instances).values(rows))

  const { json } = await request(`/api/toolboxes/${id}`)
  expect(Toolbox.parse(json)).toMatchObject({
    id,
    connected: true,
    suspect: true,
    toolCounts: { running: 1, total: 2 },
  })
  await clock.advance(-2_000)
  expect((await request(`/api/toolboxes/${id}`)).json).toMatchObject({ suspect: false })
})

test.each(['GET', 'POST'])('refresh-status by %s answers 200 with the truth about a broken toolbox', async (method) => {
  const { accountId, request, looked } = scene()
  const { id } = await insertToolbox(store, { accountId })
  const { status, json } = await request(`/api/toolboxes-user/${id}/refresh-status`, method)
  expect([status, json.observation, looked]).toEqual([200, observation, [id]])
  expect(Toolbox.parse(json.toolbox).id).toBe(id)
})

test('what DTMA finds of itself is passed on, each with its fix', async () => {
  const { accountId, request } = scene()
  const { id } = await insertToolbox(store, { accountId, status: 'active' })
  const { status, json } = await request(`/api/toolboxes/${id}/diagnostics`)
  expect([status, diagnoseToolbox.reply.parse(json).checks]).toEqual([200, CHECKS])
})
