import { createClient, DTMA_PROBLEMS, type LogLine, ProblemError } from '@agentopia/dtma/contract'
import { Hono } from 'hono'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Caller } from '../http/caller.ts'
import { createMount } from '../http/mount.ts'
import { problemResponse } from '../http/problem-response.ts'
import { newId } from '../new-id.ts'
import type { Store } from '../store/connect.ts'
import { instances } from '../store/schema/index.ts'
import { openTestStore } from '../store/testing.ts'
import { insertToolbox } from '../uplink/uplink.testing.ts'
import { logRoutes } from './log.routes.ts'

const accountId = 'account-a'
const caller: Caller = { kind: 'user', accountId, userId: 'user_1', role: 'viewer', actor: 'token x' }

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const line = (text: string): LogLine => ({ at: '2026-01-01T00:00:00Z', stream: 'stderr', line: text })
const streamOf = (lines: readonly LogLine[]) =>
  new Response(lines.map((one) => `id: ${one.at}\ndata: ${JSON.stringify(one)}\n\n`).join(''), {
    headers: { 'content-type': 'text/event-stream' },
  })

/** Reads the log of an instance whose toolbox answers so. */
async function read(answer: () => Response, query = '') {
  const { id: toolboxId } = await insertToolbox(store, { accountId })
  const id = newId('inst')
  const row = { id, accountId, toolboxId, toolId: 'everything', name: id, desired: 'running', config: {} } as const
  await store.system((tx) => tx.insert(instances).values(row))
  const asked: string[] = []
  const app = new Hono()
  app.onError(problemResponse(pino({ level: 'silent' })))
  const mount = createMount({
    app,
    authenticate: async () => caller,
    clientAddress: () => '192.0.2.1',
    requirePresence: async () => {},
  })
  const fetch = async (url: string) => {
    asked.push(url)
    return answer()
  }
  logRoutes(mount, { store, clientOf: () => createClient({ baseUrl: 'http://dtma', fetch }) })
  const response = await app.request(`/api/toolboxes/${toolboxId}/tools/${id}/logs/last${query}`)
  return { status: response.status, json: (await response.json()) as { lines: LogLine[]; code?: string }, asked, id }
}

test('the last lines come whole, the newest last', async () => {
  const lines = [line('first'), line('second')]
  const { status, json, asked, id } = await read(() => streamOf(lines), '?tail=2')
  expect([status, json]).toEqual([200, { lines }])
  expect(asked).toEqual([`http://dtma/tools/${id}/logs?follow=false&tail=2`])
})

test('of more than can be read at once the newest are kept', async () => {
  const { json } = await read(() => streamOf(Array.from({ length: 100 }, (_, n) => line(`${n} ${'x'.repeat(1_000)}`))))
  expect(json.lines.length).toBe(49)
  expect(json.lines.at(-1)!.line).toMatch(/^99 /)
})

test.each<[string, () => Response, number, string]>([
  [
    'has not taken up the tool yet',
    () => {
      const document = new ProblemError('tool-not-found', DTMA_PROBLEMS['tool-not-found'], 'x').toDocument('1')
      return Response.json(document, { status: 404, headers: { 'content-type': 'application/problem+json' } })
    },
    404,
    'instance-not-found',
  ],
  ['sends what is no log', () => new Response('data: nonsense\n\n'), 503, 'toolbox-unreachable'],
  [
    'breaks off in the middle',
    () => new Response(new ReadableStream({ start: (it) => it.error(new Error('the line is cut')) })),
    503,
    'toolbox-unreachable',
  ],
])('a toolbox that %s is said to, and is no failure of ours', async (_, answer, status, code) => {
  const { status: answered, json } = await read(answer)
  expect([answered, json.code]).toEqual([status, code])
})
