import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { furnish, jsonOf, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { systemClock } from '../reconcile/clock.ts'
import { agents } from '../store/schema/index.ts'
import { beatOf, openUplink } from '../uplink/uplink.testing.ts'
import { listCallRecords } from './call.store.ts'
import { openCallJournal } from './call-journal.ts'
import { createCallRecorder } from './call-recorder.ts'
import { createChainSeal } from './chain-seal.ts'
import { begunCall } from './fixtures/begun-call.ts'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

const run = (statement: string) => plane.store.system((tx) => tx.execute(sql.raw(statement)))

test('K09 the record of deeds is broken: what would be on record is refused, heartbeats go on', async () => {
  const owner = await signedIn(plane, 'account_home', 'owner')
  const { ids } = await furnish(plane.store, 'account_home', owner.userId)
  const uplink = openUplink(plane.store)
  const { bearer } = await uplink.joined()
  expect((await uplink.beat(bearer, beatOf('run_1', 1))).status).toBe(200)

  await run('alter table activities rename to activities_away')
  const refused = async (method: string, path: string, body: object) => {
    const answer = await plane.send(method, path, owner, body)
    expect([method, path, answer.status, (await jsonOf(answer)).code]).toEqual([method, path, 503, 'store-unavailable'])
  }
  await refused('POST', '/api/agents', { name: 'another' })
  await refused('PATCH', `/api/agents/${ids.agentId}`, { enabled: false })
  await refused('POST', `/api/agents/${ids.agentId}/tokens`, { name: 'laptop' })
  await refused('PUT', '/api/calls/switch', { enabled: false })
  const left = await plane.store.system((tx) => tx.select().from(agents))
  expect(left).toMatchObject([{ id: ids.agentId, enabled: true }]) // nothing was half done
  expect((await uplink.beat(bearer, beatOf('run_1', 2))).status).toBe(200)
  await run('alter table activities_away rename to activities')
  expect((await plane.send('POST', '/api/agents', owner, { name: 'another' })).status).toBe(201)
})

test('K09 the record of calls is broken: what was called waits in the journal, and is there when it is whole again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'agentopia-down-'))
  const recorder = createCallRecorder({
    store: plane.store,
    journal: openCallJournal(directory, 'run'),
    seal: createChainSeal(Buffer.alloc(32, 7)),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    gatherMs: 10,
  })
  await run('alter table tool_calls rename to tool_calls_away')
  const id = newId('call')
  await recorder.begin(begunCall(id, { accountId: 'account_down', agentId: 'agent_1' }))
  await recorder.end(id, { outcome: 'ok', code: null, durationMs: 1, resultBytes: 1, resultDigest: null })
  await expect(recorder.flush()).rejects.toMatchObject({ code: 'store-unavailable' })
  await run('alter table tool_calls_away rename to tool_calls')
  const recorded = () => plane.store.tenant('account_down', (tx) => listCallRecords(tx, { limit: 9 }))
  await vi.waitFor(async () => expect((await recorded()).map((call) => call.id)).toEqual([id]), { timeout: 5_000 })
  await recorder.stop()
  rmSync(directory, { recursive: true })
})
