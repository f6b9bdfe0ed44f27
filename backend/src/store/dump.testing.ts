import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { connect } from './connect.ts'
import { PORT } from './postgres/postmaster.ts'

/** Every row of every table of a running embedded database, one line of JSON each; bytes as base64. */
export async function dumpOf(dataDir: string): Promise<string> {
  // Line 5 of postmaster.pid is the folder of its socket.
  const host = readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[4]!
  const pool = connect({ host, port: PORT }, { poolSize: 1 })
  try {
    const tables = await pool.query<{ schema: string; name: string }>(`
      select schemaname as schema, tablename as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2`)
    const lines: string[] = []
    for (const { schema, name } of tables.rows) {
      const { rows } = await pool.query(`select * from ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`)
      for (const row of rows) lines.push(`${name} ${JSON.stringify(row, readable)}`)
    }
    return lines.join('\n')
  } finally {
    await pool.end()
  }
}

const readable = (_: string, value: unknown): unknown => {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown }
  if (type === 'Buffer' && Array.isArray(data)) return Buffer.from(data as number[]).toString('base64')
  return typeof value === 'bigint' ? String(value) : value
}
