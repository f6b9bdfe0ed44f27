import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { connect } from './connect.ts'
import { migrate } from './migrate.ts'

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url))
const MIGRATOR = fileURLToPath(new URL('./fixtures/migrator.ts', import.meta.url))
const { host, port, template } = inject('postgres')

let admin: pg.Pool
let database: string
const clients: pg.Pool[] = []
beforeEach(async () => {
  admin = connect({ host, port }, { poolSize: 1 })
  database = `migrate_${Math.random().toString(36).slice(2)}`
  await admin.query(`create database ${database}`)
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end()
  await admin.query(`drop database ${database} with (force)`)
  await admin.end()
})

const address = (name = database) => ({ host, port, database: name })

function open(name = database): pg.Pool {
  const client = connect(address(name), { poolSize: 4 })
  clients.push(client)
  return client
}

const journal = JSON.parse(readFileSync(join(MIGRATIONS, 'meta', '_journal.json'), 'utf8')) as {
  entries: { idx: number; when: number; tag: string }[]
}

/** Everything that a schema is made of: columns, indexes, constraints, policies, triggers. */
async function schemaOf(client: pg.Pool): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    select concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default) as line
      from information_schema.columns where table_schema = 'public'
    union all select indexdef from pg_indexes where schemaname = 'public'
    union all select concat_ws(' ', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
    union all select concat_ws(' ', tablename, policyname, roles, cmd, qual, with_check) from pg_policies
    union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    order by 1`)
  return rows.map(({ line }) => line)
}

const applied = async (client: pg.Pool): Promise<number> =>
  Number((await client.query('select count(*) as n from drizzle.__drizzle_migrations')).rows[0].n)

test('R08 five control planes that start at once migrate a database once, and all find it as it should be', async () => {
  await Promise.all(Array.from({ length: 5 }, () => migrate(address())))
  const client = open()
  expect(await applied(client)).toBe(journal.entries.length)
  expect(await schemaOf(client)).toEqual(await schemaOf(open(template)))
})

test('R08 a migration that is killed at any moment leaves all of it or nothing, and the next start ends it', async () => {
  const client = open()
  for (const ms of [0, 60, 250]) {
    const child = spawn(process.execPath, [MIGRATOR, host, String(port), database], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await begun(child)
    await sleep(ms)
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    const there = await client.query(`select to_regclass('drizzle.__drizzle_migrations') is not null as "isThere"`)
    if (there.rows[0].isThere) expect([0, journal.entries.length]).toContain(await applied(client))
  }
  await migrate(address())
  expect(await schemaOf(client)).toEqual(await schemaOf(open(template)))
}, 90_000)

const begun = (child: ChildProcess) => new Promise((resolve) => child.stdout!.once('data', resolve))

/** A copy of the migrations with other entries in the journal. */
function migrationsWith(entries: readonly object[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-migrations-'))
  cpSync(MIGRATIONS, folder, { recursive: true })
  writeFileSync(join(folder, 'meta', '_journal.json'), JSON.stringify({ ...journal, entries }))
  return folder
}

test('R08 a migration may take as long as it takes', async () => {
  const last = journal.entries.at(-1)!
  const next = { ...last, idx: last.idx + 1, when: last.when + 1, tag: 'patient' }
  const folder = migrationsWith([...journal.entries, next])
  writeFileSync(
    join(folder, 'patient.sql'),
    `do $$ begin assert current_setting('statement_timeout') = '0', 'it is limited'; end $$`,
  )
  await migrate(address(), folder)
  rmSync(folder, { recursive: true, force: true })
  expect(await applied(open())).toBe(journal.entries.length + 1)
})

test('R08 an upgrade waits for those who work, and lets nobody wait behind it for as long as they would notice', async () => {
  const client = open()
  const before = migrationsWith(journal.entries.slice(0, -1))
  await migrate(address(), before)
  rmSync(before, { recursive: true, force: true })
  const tables = await client.query(
    `select string_agg(format('%I', tablename), ', ') as all from pg_tables where schemaname = 'public'`,
  )
  const everyTable = tables.rows[0].all as string

  // The version before is at work: one long transaction on everything, and many short ones, each with little patience.
  const other = open()
  let isOver = false
  let letGo = () => {}
  const working = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const long = drizzle(other).transaction(async (tx) => {
    await tx.execute(`lock table ${everyTable} in row exclusive mode`)
    await working
  })
  const upgrade = migrate(address()).then(() => {
    isOver = true
  })
  for (let n = 0; n < 6; n += 1) {
    await drizzle(other).transaction(async (tx) => {
      await tx.execute(`set local lock_timeout = '4s'`)
      await tx.execute(`lock table ${everyTable} in row exclusive mode`)
    })
    await sleep(500)
  }
  expect(isOver).toBe(false)
  letGo()
  await long
  await upgrade
  expect(await applied(client)).toBe(journal.entries.length)
})
