import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { TestProject } from 'vitest/node'
import { connect } from './connect.ts'
import { migrate } from './migrate.ts'
import { startEmbedded } from './postgres/embedded.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The PostgreSQL of this test run, and the database that every test's is copied from. */
    postgres: { readonly host: string; readonly port: number; readonly template: string }
  }
}

const TEMPLATE = 'agentopia_template'

/** Nothing of a test outlives its machine: only tests of what is kept use a server that waits for its disk, one of their own. */
const HURRIED = ['fsync = off', 'full_page_writes = off', 'synchronous_commit = off']

/** One real PostgreSQL for a whole test run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-test-'))
  const server = await startEmbedded(folder, pino({ level: 'silent' }))
  const admin = connect(server, { poolSize: 1 })
  for (const setting of HURRIED) await admin.query(`alter system set ${setting}`)
  await admin.query('select pg_reload_conf()')
  await admin.query(`create database ${TEMPLATE}`)
  await admin.end()
  await migrate({ ...server, database: TEMPLATE })
  project.provide('postgres', { host: server.host, port: server.port, template: TEMPLATE })
  return async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
