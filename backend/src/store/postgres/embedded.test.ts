import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connect } from '../connect.ts'
import { type EmbeddedPostgres, startEmbedded } from './embedded.ts'

const log = pino({ level: 'silent' })
const writerFile = fileURLToPath(new URL('./fixtures/writer.ts', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentopia-pg-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Writer {
  readonly process: ChildProcess
  readonly committed: number[]
  readonly postmaster: Promise<number>
  readonly ended: Promise<unknown>
}

function startWriter(): Writer {
  const child = spawn(process.execPath, [writerFile, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const committed: number[] = []
  const postmaster = new Promise<number>((resolve) => {
    createInterface(child.stdout!).on('line', (line) => {
      const [word, number] = line.split(' ')
      if (word === 'ready') resolve(Number(number))
      else committed.push(Number(number))
    })
  })
  return { process: child, committed, postmaster, ended: once(child, 'close') }
}

/** Resolves when enough was committed to lose some of it. */
const written = ({ committed }: Writer) =>
  vi.waitFor(() => expect(committed.length).toBeGreaterThan(10), { timeout: 20_000 })

async function rowsOf(server: EmbeddedPostgres): Promise<number[]> {
  const pool = connect(server, { poolSize: 1 })
  const { rows } = await pool.query<{ n: number }>('select n from written order by n')
  await pool.end()
  return rows.map(({ n }) => n)
}

test('a kill -9 of the control plane loses nothing, and the next one adopts the server', async () => {
  const writer = startWriter()
  const pid = await writer.postmaster
  await written(writer)
  writer.process.kill('SIGKILL')
  await writer.ended
  const server = await startEmbedded(folder, log)
  expect(server).toMatchObject({ adopted: true })
  expect(server.pid()).toBe(pid)
  const rows = await rowsOf(server)
  await server.stop()
  expect(rows).toEqual(expect.arrayContaining(writer.committed))
})

test('a kill -9 of the server and of the control plane at once loses nothing', async () => {
  const writer = startWriter()
  const pid = await writer.postmaster
  await written(writer)
  process.kill(pid, 'SIGKILL')
  writer.process.kill('SIGKILL')
  await writer.ended
  const server = await startEmbedded(folder, log)
  const rows = await rowsOf(server)
  await server.stop()
  expect(server.adopted).toBe(false)
  expect(rows).toEqual(expect.arrayContaining(writer.committed))
})

test('a server that dies under us is started again', async () => {
  const server = await startEmbedded(folder, log)
  const first = server.pid()
  process.kill(first, 'SIGKILL')
  await vi.waitFor(() => expect(server.pid()).not.toBe(first), 10_000)
  const pool = connect(server, { poolSize: 1 })
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await pool.end()
  await server.stop()
})

test('a kill while the cluster is being made leaves a directory that starts', async () => {
  for (const ms of [60, 150, 300, 450]) {
    const writer = startWriter()
    await sleep(ms + 150)
    writer.process.kill('SIGKILL')
    await writer.ended
  }
  const server = await startEmbedded(folder, log)
  await server.stop()
})

test('a second process on the same directory is turned away with the fix, and the first is not disturbed', async () => {
  const server = await startEmbedded(folder, log)
  await expect(startEmbedded(folder, log)).rejects.toMatchObject({
    name: 'StoreError',
    message: expect.stringContaining('Another process'),
    fix: expect.stringContaining('DATA_DIR'),
  })
  const pool = connect(server, { poolSize: 1 })
  expect((await pool.query('select 1 as one')).rows).toHaveLength(1)
  await pool.end()
  await server.stop()
})

test('durability is on: nothing is acknowledged before it is on disk', async () => {
  const server = await startEmbedded(folder, log)
  const pool = connect(server, { poolSize: 1 })
  const { rows } = await pool.query(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('full_page_writes') as pages`,
  )
  await pool.end()
  await server.stop()
  expect(rows).toEqual([{ fsync: 'on', commit: 'on', pages: 'on' }])
})
