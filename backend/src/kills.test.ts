import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentsByName, type Mutations, mutate, type Told } from './mutations.testing.ts'
import { end, type Run, ready, run, signIn } from './start.testing.ts'
import { type EmbeddedPostgres, startEmbedded } from './store/postgres/embedded.ts'
import { openRelay, type Relay } from './store/relay.testing.ts'

// The control plane, or its database, is killed again and again while people work. KILLS=50 does it more often.

const KILLS = Number(process.env['KILLS'] ?? 3)
const PEOPLE = 6
const LIMIT_MS = 60_000 + KILLS * 15_000

let folder: string
let now: Awaited<ReturnType<typeof ready>>
let cookie: string
let database: EmbeddedPostgres | undefined
let relay: Relay | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentopia-kills-'))
})
afterEach(async () => {
  if (now) await end(now, 'SIGTERM')
  relay?.close()
  relay = undefined
  await database?.stop()
  database = undefined
  rmSync(folder, { recursive: true, force: true })
})

async function start(env: Record<string, string> = {}): Promise<Run> {
  now = await ready(run(['start'], { DATA_DIR: folder, ...env }))
  return now
}

const headers = () => ({ cookie, origin: now.url })

/** Starts it, with somebody who is signed in. */
async function startAndSignIn(env?: Record<string, string>): Promise<void> {
  await start(env)
  cookie = (await signIn(now.link)).cookie
}

/** Does something, and waits until people are answered again. */
async function survived({ told }: Mutations, kill: () => unknown): Promise<void> {
  await sleep(50 + Math.random() * 400)
  await kill()
  const before = told.acknowledged.size
  await expect
    .poll(() => told.acknowledged.size, { timeout: 30_000, interval: 50 })
    .toBeGreaterThan(before + PEOPLE)
    .catch((cause: unknown) => {
      throw new Error(`nobody is answered; it said last:\n${now.text().slice(-2_000)}`, { cause })
    })
}

/** Nothing that was confirmed is lost, nothing was done twice, and nobody was told nonsense. */
async function expectTruth({ acknowledged, wrong }: Told): Promise<void> {
  expect(wrong).toEqual([])
  const there = await agentsByName(now.url, headers())
  const said = [...acknowledged].map(([name, ids]) => [name, [...ids]])
  expect(said.length).toBeGreaterThan(KILLS * PEOPLE)
  expect(said.filter(([name, ids]) => String(there.get(name as string)) !== String(ids))).toEqual([])
  expect([...there.values()].filter((ids) => ids.length !== 1)).toEqual([])
  const answer = await fetch(`${now.url}/api/calls/verification`, { headers: headers() })
  expect(await answer.json()).toMatchObject({ intact: true })
}

const postmaster = () => Number(readFileSync(join(folder, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0])

/** People work while something is killed again and again. */
async function holdsUnderLoad(kill: () => unknown): Promise<void> {
  const load = mutate(() => now.url, headers, PEOPLE)
  for (let n = 0; n < KILLS; n += 1) await survived(load, kill)
  await load.finish()
  await expectTruth(load.told)
}

test(
  'R03 its own PostgreSQL is killed under load, again and again: what was confirmed stays, and everybody else is told to come again',
  async () => {
    await startAndSignIn()
    await holdsUnderLoad(() => process.kill(postmaster(), 'SIGKILL'))
  },
  LIMIT_MS,
)

test(
  'R03 a PostgreSQL of DATABASE_URL is killed under load, again and again: what was confirmed stays, and everybody else is told to come again',
  async () => {
    database = await startEmbedded(join(folder, 'elsewhere'), pino({ level: 'silent' }))
    relay = await openRelay(database)
    await startAndSignIn({ DATABASE_URL: `postgres://postgres@127.0.0.1:${relay.port}/postgres` })
    await holdsUnderLoad(() => process.kill(database!.pid(), 'SIGKILL'))
  },
  LIMIT_MS,
)

test(
  'R06 the control plane is killed under load, again and again: nothing that was confirmed is lost, and no key has two effects',
  async () => {
    await startAndSignIn()
    await holdsUnderLoad(async () => {
      await end(now, 'SIGKILL')
      await start()
    })
  },
  LIMIT_MS,
)

test(
  'R05 the control plane is stopped in order and started again under load: who had begun is answered, and no key has two effects',
  async () => {
    await startAndSignIn()
    await holdsUnderLoad(async () => {
      await end(now, 'SIGTERM')
      expect(await now.code).toBe(0)
      await start()
    })
  },
  LIMIT_MS,
)
