import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eq, sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FIRST_ACCOUNT } from '../accounts/first-account.ts'
import { newId } from '../new-id.ts'
import { end, ready, run, signIn } from '../start.testing.ts'
import type { Store } from '../store/connect.ts'
import { joinStore } from '../store/join.ts'
import { activities, callPayloads, instances } from '../store/schema/index.ts'
import { BEGINNING_LENGTH, beginningUnder, createSealer, keyIdOf } from '../store/seal.ts'
import { newKey as newDtmaKey } from '../uplink/uplink.testing.ts'
import { loadMasterKeys, previousKeyFile } from './master-key.file.ts'
import { openRootKey } from './root-key.store.ts'
import { furnishSealed, insertPayloads, openEverything, rowsUnder } from './sealed.testing.ts'

// The program is given another master key while people work, and is killed while it seals anew. KILLS=20 does it more often.

const KILLS = Number(process.env['KILLS'] ?? 3)
/** So many that each kill finds it at work. */
const PAYLOADS = 4_000 + 2_000 * KILLS
const AT_ONCE = 1_000
const PEOPLE = 3

let folder: string
let now: Awaited<ReturnType<typeof ready>>
let cookie: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentopia-key-change-'))
})
afterEach(async () => {
  await end(now, 'SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

const env = () => ({ DATA_DIR: folder, DIGITALOCEAN_API_URL: 'http://127.0.0.1:1' })
const keys = () => loadMasterKeys(folder, {})

async function start(): Promise<void> {
  now = await ready(run(['start'], env()))
}

async function command(name: string): Promise<{ code: number | null; text: string }> {
  const one = run([name], env())
  return { code: await one.code, text: one.text() }
}

/** Looks into the database, whether the control plane runs or was killed. */
async function inside<Result>(look: (store: Store) => Promise<Result>): Promise<Result> {
  await using store = await joinStore({ dataDir: folder })
  return await look(store!)
}

const ask = (method: string, path: string, body?: object): Promise<Response> =>
  fetch(now.url + path, {
    method,
    headers: { cookie, origin: now.url, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })

const rootKey = () =>
  inside((store) =>
    store.system(async (tx) => {
      const { current, others } = keys()
      return Buffer.from(await openRootKey(tx, createSealer(current, others), keys())).toString('hex')
    }),
  )

/** What a DTMA that enrols now is to trust releases by. */
async function releaseKeyForNewcomers(): Promise<string> {
  const made = await ask('POST', '/api/toolboxes', {
    provider: 'join',
    name: `server-${randomBytes(3).toString('hex')}`,
  })
  const { id } = (await made.json()) as { id: string }
  const { line } = (await (await ask('POST', `/api/toolboxes/${id}/join-line`)).json()) as { line: string }
  const enrolled = await fetch(`${now.url}/dtma/enrol`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(newDtmaKey()(id, /enrol_[\w-]+/.exec(line)![0])),
  })
  return ((await enrolled.json()) as { releaseKey: string }).releaseKey
}

/** Sealed texts of every purpose and many payloads, in the account of who is signed in. @returns What people do with them. */
async function furnishAll(): Promise<readonly (() => Promise<Response>)[]> {
  const sealer = createSealer(keys().current)
  const { ids, callId } = await inside(async (store) => {
    const furnished = await furnishSealed(store, sealer, FIRST_ACCOUNT)
    const { instanceId } = furnished.ids
    await store.system((tx) => tx.update(instances).set({ toolId: 'tavily' }).where(eq(instances.id, instanceId)))
    for (let n = 0; n < PAYLOADS; n += AT_ONCE) {
      const callIds = Array.from({ length: AT_ONCE }, () => newId('call'))
      await store.system((tx) => insertPayloads(tx, sealer, { accountId: FIRST_ACCOUNT, ...furnished.ids }, callIds))
    }
    return furnished
  })
  const secret = () => randomBytes(12).toString('hex')
  return [
    () =>
      ask('PUT', `/api/agents/${ids.agentId}/toolbelt/${ids.toolbeltItemId}/credential`, {
        values: { apiKey: secret() },
      }),
    () => ask('PUT', '/api/registries/images.example', { username: 'x', password: secret() }),
    () => ask('GET', '/api/approvals?state=waiting'),
    () => ask('GET', `/api/calls/${callId}/payload`),
  ]
}

/** People who do all of it again and again. @returns What ends it, and gives what nobody should have been told, and how much was done. */
function traffic(deeds: readonly (() => Promise<Response>)[]) {
  const wrong: string[] = []
  let done = 0
  let isOver = false
  async function person(): Promise<void> {
    for (let n = 0; !isOver; n += 1) {
      const answer = await deeds[n % deeds.length]!().catch(() => undefined) // it was killed at that moment
      const text = await answer?.text().catch(() => '')
      if (answer?.ok) done += 1
      else if (answer && answer.status !== 503) wrong.push(`${answer.status} ${text}`)
      await sleep(10)
    }
  }
  const everybody = Promise.all(Array.from({ length: PEOPLE }, person))
  return async () => {
    isOver = true
    await everybody
    return { wrong, done }
  }
}

const everythingOpens = async () => {
  const { current, others } = keys()
  expect((await inside((store) => openEverything(store, createSealer(current, others)))).failed).toEqual([])
  expect(now.text()).not.toMatch(/sealed under the key|unable to authenticate|do not open|that is not given/)
}

const ENDED = 'nothing in the database is sealed under the other master key'

test(
  'R09 the master key is changed under traffic, and the control plane killed while it seals anew, again and again: everything opens at any moment, and nothing that others know of it is another',
  async () => {
    await start()
    cookie = (await signIn(now.link)).cookie
    const deeds = await furnishAll()
    const known = { rootKey: await rootKey(), releaseKey: await releaseKeyForNewcomers() }
    const before = keyIdOf(keys().current)
    const left = () => inside((store) => rowsUnder(store, before))
    const payloadsLeft = () =>
      inside((store) =>
        store.system((tx) =>
          tx.$count(callPayloads, sql`left(sealed, ${BEGINNING_LENGTH}) = ${beginningUnder(before)}`),
        ),
      )
    const finish = traffic(deeds)

    expect(await command('change-master-key')).toMatchObject({ code: 0 })
    expect(keyIdOf(keys().current)).not.toBe(before)
    expect(await command('change-master-key')).toMatchObject({
      code: 1,
      text: expect.stringContaining('has not ended'),
    })
    await end(now, 'SIGTERM')
    for (let last = PAYLOADS + 1, n = 0; n < KILLS; n += 1) {
      await start()
      await expect.poll(payloadsLeft, { interval: 5, timeout: 30_000 }).toBeLessThan(last)
      await sleep(Math.random() * 100)
      await end(now, 'SIGKILL')
      last = await payloadsLeft()
      expect(last).toBeGreaterThan(0)
      await everythingOpens()
    }

    await start()
    await expect.poll(now.text, { timeout: 60_000 }).toContain(ENDED)
    const { wrong, done } = await finish()
    expect(wrong).toEqual([])
    expect(done).toBeGreaterThan(50)
    await everythingOpens()
    expect(await left()).toBe(0)
    const told = await inside((store) =>
      store.system((tx) => tx.select().from(activities).where(eq(activities.action, 'master-key.changed'))),
    )
    expect(told.map(({ accountId }) => accountId)).toEqual([FIRST_ACCOUNT])

    await end(now, 'SIGTERM')
    rmSync(previousKeyFile(folder))
    await start()
    for (const deed of deeds) expect((await deed()).status).toBe(200)
    await everythingOpens()
    expect({ rootKey: await rootKey(), releaseKey: await releaseKeyForNewcomers() }).toEqual(known)
    expect(await command('change-master-key')).toMatchObject({ code: 0 })
  },
  120_000 + KILLS * 15_000,
)
