import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Toolbox } from '@agentopia/api'
import { fromWeb, listenerOf, openIdentity, startUplink, systemClock, type Uplink } from '@agentopia/dtma/testing'
import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type As, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'

const HOUR = 3_600_000
/** So many times shorter is every wait of DTMA. */
const HASTE = 20
const SYSTEM = {
  cpus: 2,
  cpuUsage: 0,
  memoryBytes: 1,
  memoryUsedBytes: 1,
  diskBytes: 1,
  diskUsedBytes: 1,
  networkRxBytes: 0,
  networkTxBytes: 0,
  loadAverage: 0,
  uptimeSeconds: 1,
}

let plane: TestControlPlane
let server: Server
let ahead = 0
beforeAll(async () => {
  plane = await openTestControlPlane({ ...systemClock, now: () => Date.now() + ahead })
  server = createServer(plane.listener).on('upgrade', plane.upgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await plane.close()
  server.closeAllConnections()
  server.close()
})

let as: As
let id: string
let directory: string
const cleanups: (() => unknown)[] = []
beforeEach(async () => {
  const { userId: _, ...operator } = await signedIn(plane, `account_${newId('act').slice(4)}`, 'operator')
  as = operator
  const made = await plane.send('POST', '/api/toolboxes', as, { provider: 'join', name: 'alpha' })
  id = ((await made.json()) as Toolbox).id
  directory = folder()
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'dtma-identity-'))
  cleanups.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function token(): Promise<string> {
  const answer = await plane.request('POST', `/api/toolboxes/${id}/join-line`, as)
  return /enrol_[\w-]+/.exec(((await answer.json()) as { line: string }).line)![0]
}

/** DTMA's side of the uplink, as it runs on a machine; its waits are shorter. */
function dtma(state: string, enrolmentToken: () => string | undefined = () => undefined) {
  const stop = new AbortController()
  const said: string[] = []
  const say = (message: string) => void said.push(message)
  const app = new Hono().get('/status', (c) => c.text('well'))
  const uplink: Uplink = startUplink(
    {
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      enrolment: {
        identity: openIdentity(state),
        toolboxId: id,
        token: enrolmentToken,
        machine: { hostname: 'box', os: 'linux', arch: 'x64' },
      },
      given: undefined,
      onCredentials: () => {},
      onKey: () => {},
      report: () => ({ docker: { state: 'ok' }, system: SYSTEM, tools: [] }),
      listener: listenerOf(fromWeb(app.fetch), { debug() {} }),
      runId: newId('act'),
      version: '0.1.0',
      log: { debug: say, info: say, warn: say, error: say, lines: () => [], redact() {} },
      clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / HASTE, signal) },
    },
    stop.signal,
  )
  const end = async () => {
    stop.abort()
    await uplink.stopped
  }
  cleanups.push(end)
  return { end, said, uplink }
}

const read = async (): Promise<Toolbox> =>
  (await (await plane.request('GET', `/api/toolboxes/${id}`, as)).json()) as Toolbox
const status = async () => (await read()).status

test('E09 a copied DTMA: both are locked out within seconds, and the one that a person enrols anew is the toolbox', async () => {
  const first = await token()
  const original = dtma(directory, () => first)
  await expect.poll(status, { timeout: 10_000 }).toBe('active')
  await expect.poll(async () => (await read()).connected).toBe(true)
  const copy = folder()
  cpSync(directory, copy, { recursive: true })

  const clone = dtma(copy)
  await expect.poll(status, { timeout: 15_000 }).toBe('quarantined')
  await expect.poll(async () => (await read()).connected).toBe(false)
  expect((await read()).statusReason).toContain('Two machines')
  await expect.poll(() => clone.said.join()).toContain('locked out')

  const fresh = await token() // for the machine that the person decided for
  await original.end()
  const again = dtma(directory, () => fresh)
  await expect.poll(status, { timeout: 10_000 }).toBe('active')
  await new Promise((resolve) => setTimeout(resolve, 7_000)) // the clone has tried again twice
  expect(await status()).toBe('active')
  expect(again.uplink.heard).toBe(true)
  expect(clone.uplink.heard).toBe(false)
})

test('E08 back after three lives of its credential, a DTMA is active again without a person', async () => {
  const first = await token()
  const before = dtma(directory, () => first)
  await expect.poll(status, { timeout: 10_000 }).toBe('active')
  await before.end()
  ahead += 3 * HOUR
  dtma(directory)
  await expect.poll(async () => (await read()).connected, { timeout: 10_000 }).toBe(true)
  await expect.poll(status, { timeout: 10_000 }).toBe('active')
  const activity = await plane.request('GET', `/api/activity?toolbox=${id}`, as)
  expect(await activity.text()).toContain('its credential had run out')
})
