import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { end, type Run, ready, run, signIn } from './start.testing.ts'

// The program as a process: how it starts, what it says, how it ends.

const folder = mkdtempSync(join(tmpdir(), 'agentopia-start-'))
const runs: Run[] = []

afterEach(async () => {
  await Promise.all(runs.splice(0).map((one) => end(one, 'SIGTERM')))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function begin(args: readonly string[], env: Record<string, string>): Run {
  const one = run(args, env)
  runs.push(one)
  return one
}

const started = (dataDir: string) => ready(begin(['start'], { DATA_DIR: dataDir }))
const freshDir = () => join(folder, randomBytes(4).toString('hex'))

test('it starts from nothing, prints a link that signs in, prints another beside, and ends cleanly', async () => {
  const dataDir = freshDir()
  const plane = await started(dataDir)
  expect((await signIn(plane.link)).status).toBe(200)
  expect((await signIn(plane.link)).status).toBe(401)

  const second = begin(['sign-in-link'], { DATA_DIR: dataDir })
  expect(await second.code).toBe(0)
  expect((await signIn(second.text().trim())).status).toBe(200)

  const began = performance.now()
  await end(plane, 'SIGTERM')
  expect(await plane.code).toBe(0)
  expect(performance.now() - began).toBeLessThan(10_000)
  expect(readdirSync(join(dataDir, 'postgres', 'data'))).not.toContain('postmaster.pid')
  expect(statSync(join(dataDir, 'master.key')).mode & 0o077).toBe(0)
})

test('after kill -9 the next start has everything as it was, sessions included', async () => {
  const dataDir = freshDir()
  const first = await started(dataDir)
  const { cookie } = await signIn(first.link)
  await end(first, 'SIGKILL')

  const second = await started(dataDir)
  const me = await fetch(`${second.url}/api/me`, { headers: { cookie } })
  expect(me.status).toBe(200)
  const activity = await (await fetch(`${second.url}/api/activity`, { headers: { cookie } })).text()
  expect(activity.match(/user\.signed-in/g)).toHaveLength(1)
})

test('a second process on the same data directory is told so, and changes nothing', async () => {
  const dataDir = freshDir()
  const plane = await started(dataDir)
  const second = begin(['start'], { DATA_DIR: dataDir })
  expect(await second.code).toBe(1)
  expect(second.text()).toContain('Another process uses the data directory')
  expect(second.text()).not.toContain('    at ')
  expect((await fetch(`${plane.url}/api/info`)).status).toBe(200)
})

test('a taken port is named before anything is made', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  const dataDir = freshDir()
  const plane = begin(['start'], { DATA_DIR: dataDir, PORT: String(port) })
  expect(await plane.code).toBe(1)
  expect(plane.text()).toContain(`The port ${port} is in use`)
  expect(plane.text()).not.toContain('    at ')
  expect(() => statSync(dataDir)).toThrow()
  taken.close()
})

test('wrong settings end with 78 and a line for each, without their values', async () => {
  const plane = begin(['start'], { PORT: 'top-secret', MASTER_KEY: 'top-secret', DATABASE_URL: 'top-secret' })
  expect(await plane.code).toBe(78)
  expect(plane.text().match(/^(PORT|MASTER_KEY|DATABASE_URL): /gm)).toHaveLength(3)
  expect(plane.text()).not.toContain('top-secret')
})

test('a data directory that is a file, and a database that is not there, are sentences', async () => {
  const file = freshDir()
  writeFileSync(file, '')
  const inTheWay = begin(['start'], { DATA_DIR: file })
  expect(await inTheWay.code).toBe(1)
  expect(inTheWay.text()).not.toContain('    at ')

  const down = begin(['start'], { DATA_DIR: freshDir(), DATABASE_URL: 'postgres://me:top-secret@127.0.0.1:1/x' })
  expect(await down.code).toBe(1)
  expect(down.text()).toContain('DATABASE_URL')
  expect(down.text()).not.toContain('top-secret')
  expect(down.text()).not.toContain('    at ')
})

test('a link for a control plane that does not run is refused, and an unknown command too', async () => {
  const link = begin(['sign-in-link'], { DATA_DIR: freshDir() })
  expect(await link.code).toBe(1)
  expect(link.text()).toContain('does not run')
  const unknown = begin(['fly'], {})
  expect(await unknown.code).toBe(1)
  expect(unknown.text()).toContain('start, stop, sign-in-link')
})

test('a damaged master key is refused rather than replaced', async () => {
  const dataDir = freshDir()
  mkdirSync(dataDir)
  writeFileSync(join(dataDir, 'master.key'), 'too short')
  const before = createHash('sha256')
    .update(readFileSync(join(dataDir, 'master.key')))
    .digest('hex')
  const plane = begin(['start'], { DATA_DIR: dataDir })
  expect(await plane.code).toBe(1)
  expect(plane.text()).toContain('does not hold 32 bytes')
  expect(
    createHash('sha256')
      .update(readFileSync(join(dataDir, 'master.key')))
      .digest('hex'),
  ).toBe(before)
})

test('R09 another master key than the database wants is refused, with the names of both, and the right one is good again', async () => {
  const dataDir = freshDir()
  await end(await started(dataDir), 'SIGTERM')
  const plane = begin(['start'], { DATA_DIR: dataDir, MASTER_KEY: randomBytes(32).toString('base64') })
  expect(await plane.code).toBe(1)
  expect(plane.text()).toMatch(/The database wants the master key [0-9a-f]{8}, and is given [0-9a-f]{8}\n.*MASTER_KEY/)
  expect(plane.text()).not.toContain('    at ')
  await started(dataDir)
})

test('the master key is changed while the control plane runs, and where it is a file', async () => {
  const still = begin(['change-master-key'], { DATA_DIR: freshDir() })
  expect(await still.code).toBe(1)
  expect(still.text()).toContain('does not run')
  const given = begin(['change-master-key'], { DATA_DIR: freshDir(), MASTER_KEY: randomBytes(32).toString('base64') })
  expect(await given.code).toBe(1)
  expect(given.text()).toContain('OTHER_MASTER_KEY')
})
