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

/** One real PostgreSQL for a whole test run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-test-'))
  const server = await startEmbedded(folder, pino({ level: 'silent' }))
  const admin = connect(server, { poolSize: 1 })
  await admin.query(`create database ${TEMPLATE}`)
  await admin.end()
  await migrate({ ...server, database: TEMPLATE })
  project.provide('postgres', { host: server.host, port: server.port, template: TEMPLATE })
  return async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
