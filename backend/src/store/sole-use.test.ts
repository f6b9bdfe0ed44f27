import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { connect } from './connect.ts'
import { holdDatabase, LOCK } from './sole-use.ts'

const said: string[] = []
const log = pino({ level: 'error' }, { write: (line) => void said.push(JSON.parse(line).msg) })
let name: string
let admin: ReturnType<typeof connect>
let held: AsyncDisposable[]
beforeEach(async () => {
  held = []
  said.length = 0
  const { host, port } = inject('postgres')
  admin = connect({ host, port }, { poolSize: 1 })
  name = `sole_${Date.now()}_${Math.floor(Math.random() * 1e6)}`
  await admin.query(`create database ${name}`)
})
afterEach(async () => {
  for (const one of held) await one[Symbol.asyncDispose]()
  await admin.query(`drop database ${name} with (force)`)
  await admin.end()
})

async function hold(isShared: boolean, waitMs = 0) {
  const { host, port } = inject('postgres')
  const one = await holdDatabase(
    { host, port, database: name },
    {
      isShared,
      log,
      waitMs,
    },
  )
  held.push(one)
  return one
}

test('a control plane that is alone keeps the database for itself, and says what to do', async () => {
  await hold(false)
  await expect(hold(false)).rejects.toThrow('Another control plane works on the database')
  await expect(hold(true)).rejects.toMatchObject({ fix: expect.stringContaining('REPLICA_ADDRESS') })
})

test('those that know of each other share it, and let nobody else in', async () => {
  await hold(true)
  await hold(true)
  await expect(hold(false)).rejects.toThrow('Another control plane')
})

test('a successor waits for one that is ending', async () => {
  const first = await hold(false)
  const second = hold(false, 5_000)
  await first[Symbol.asyncDispose]()
  await second
})

async function holders(): Promise<number[]> {
  const { rows } = await admin.query<{ pid: number }>(
    `select pid from pg_locks join pg_database d on d.oid = database where locktype = 'advisory' and datname = '${name}' and granted`,
  )
  return rows.map(({ pid }) => pid)
}

/** It is held by one session, and that is ours. @param before Those that held it: a session that was ended takes a moment to go. */
async function expectHeld(before: readonly number[] = []): Promise<void> {
  await vi.waitFor(async () => {
    const now = await holders()
    expect(now).toHaveLength(1)
    expect(before).not.toContain(now[0])
  })
  await expect(hold(false)).rejects.toThrow('Another control plane')
}

test('it is held again after the database was away', async () => {
  await hold(false)
  const before = await holders()
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
  await expectHeld(before)
})

test('one that finds it taken when the database is back says so once, and has it again when the other goes', async () => {
  await hold(false)
  const other = connect({ ...inject('postgres'), database: name }, { poolSize: 1 })
  const taken = other.query('select pg_advisory_lock($1)', [LOCK])
  await vi.waitFor(async () => {
    const { rows } = await admin.query(
      `select pid from pg_stat_activity where datname = '${name}' and wait_event_type = 'Lock'`,
    )
    expect(rows).toHaveLength(1)
  })
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and wait_event_type is distinct from 'Lock'`,
  )
  await taken
  await vi.waitFor(() => expect(said).toEqual(['another control plane has taken the database meanwhile']), 10_000)
  await sleep(1_500)
  expect(said).toHaveLength(1)
  await other.end()
  await expectHeld()
})
