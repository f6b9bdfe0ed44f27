import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Observation, Toolbox } from '@agentopia/api'
import { getStatus } from '@agentopia/dtma/contract'
import { fromWeb, listenerOf, openIdentity, startUplink, systemClock } from '@agentopia/dtma/testing'
import { openFaultProxy } from '@agentopia/testbed/faults'
import { Hono } from 'hono'
import { openTestControlPlane, signedIn } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import type { Clock } from '../reconcile/clock.ts'

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

/** A clock that runs so many times faster than the network does. */
function fastClock(speed: number): Clock & { steady(): number; jump(ms: number): void } {
  const start = Date.now()
  let ahead = 0
  return {
    now: () => Math.round(start + (Date.now() - start) * speed + ahead),
    steady: () => performance.now() * speed,
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
    jump: (ms) => {
      ahead += ms
    },
  }
}

/** A whole control plane and the uplink of a DTMA, with a line between them that can be made bad. */
export async function openLine(speed: number, random: () => number = Math.random) {
  const clock = fastClock(speed)
  const plane = await openTestControlPlane(clock)
  const server = createServer(plane.listener).on('upgrade', plane.upgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy = await openFaultProxy(server.address() as AddressInfo, random)
  const { userId: _, ...as } = await signedIn(plane, `account_${newId('act').slice(4)}`, 'operator')
  const made = await plane.send('POST', '/api/toolboxes', as, { provider: 'join', name: 'alpha' })
  const { id } = (await made.json()) as Toolbox
  const line = await plane.request('POST', `/api/toolboxes/${id}/join-line`, as)
  const token = /enrol_[\w-]+/.exec(((await line.json()) as { line: string }).line)![0]

  const directory = mkdtempSync(join(tmpdir(), 'dtma-line-'))
  const stop = new AbortController()
  let padding = 0
  const app = new Hono()
    .get(getStatus.path, (c) => c.json(status()))
    .get('/health', (c) => c.json({ status: 'ok', version: '0.1.0' }))
  const status = () => ({
    version: '0.1.0',
    apiVersion: 1,
    toolboxId: id,
    runId: 'run',
    uptimeSeconds: 1,
    docker: { state: 'ok', message: 'x'.repeat(padding) },
    system: SYSTEM,
    tools: [],
  })
  const uplink = startUplink(
    {
      baseUrl: `http://127.0.0.1:${proxy.port}`,
      enrolment: {
        identity: openIdentity(directory),
        toolboxId: id,
        token: () => token,
        machine: { hostname: 'box', os: 'linux', arch: 'x64' },
      },
      given: undefined,
      onCredentials: () => {},
      onKey: () => {},
      report: () => ({ docker: { state: 'ok' }, system: SYSTEM, tools: [] }),
      listener: listenerOf(fromWeb(app.fetch), { debug() {} }),
      runId: newId('act'),
      version: '0.1.0',
      log: { debug() {}, info() {}, warn() {}, error() {}, lines: () => [], redact() {} },
      clock: { ...clock, random: Math.random },
    },
    stop.signal,
  )

  const read = async (): Promise<Toolbox> =>
    (await (await plane.request('GET', `/api/toolboxes/${id}`, as)).json()) as Toolbox
  return {
    clock,
    proxy,
    uplink,
    read,
    status: async () => (await read()).status,
    look: async (): Promise<Observation> => {
      const answer = await plane.request('POST', `/api/toolboxes-user/${id}/refresh-status`, as)
      return ((await answer.json()) as { observation: Observation }).observation
    },
    /** How often it was told to have become this. */
    told: async (words: string): Promise<number> => {
      const answer = await plane.request('GET', '/api/activity?limit=200', as)
      const { items } = (await answer.json()) as { items: { action: string }[] }
      return items.filter(({ action }) => action === words).length
    },
    /** So long is what DTMA answers when it is asked for its status. */
    answerWith: (bytes: number) => {
      padding = bytes
    },
    async close() {
      stop.abort()
      proxy.reset()
      await uplink.stopped
      await plane.close()
      await proxy.close()
      server.closeAllConnections()
      server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
