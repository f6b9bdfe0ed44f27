import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@agentopia/api'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkControlPlane } from './control-plane.ts'
import { checkNetwork } from './network.ts'
import { checkDisk, checkDocker, checkDtma } from './this-machine.ts'
import { checkToolbox } from './toolboxes.ts'

// Each thing is broken in turn, and the doctor names it and the way out.

let folder: string
const servers: Server[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentopia-doctor-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  rmSync(folder, { recursive: true })
})

const never = new AbortController().signal

async function listen(server: Server, where: string | number): Promise<number> {
  servers.push(server)
  server.listen(typeof where === 'string' ? { path: where } : { port: where, host: '127.0.0.1' })
  await once(server, 'listening')
  return typeof where === 'string' ? 0 : (server.address() as AddressInfo).port
}
/** Answers everything with this. */
const answering = (body: unknown) => createHttpServer((_, response) => response.end(JSON.stringify(body)))

describe('the network', () => {
  test('a name that leads nowhere', async () =>
    expect(await checkNetwork(new URL('http://nobody.invalid:3000'), never)).toMatchObject({
      state: 'failed',
      finding: 'The name nobody.invalid leads nowhere',
      fix: expect.stringContaining('AGENTOPIA_URL'),
    }))

  test('a port where nothing listens, and one where something does', async () => {
    const server = createServer()
    const port = await listen(server, 0)
    expect(await checkNetwork(new URL(`http://127.0.0.1:${port}`), never)).toMatchObject({ state: 'ok' })
    server.close()
    await once(server, 'close')
    expect(await checkNetwork(new URL(`http://127.0.0.1:${port}`), never)).toMatchObject({
      state: 'failed',
      finding: expect.stringContaining('Nothing listens'),
      fix: expect.stringContaining('npm start'),
    })
  })
})

describe('the control plane', () => {
  const NOW = Date.parse('2026-11-27T08:00:00Z')
  const INFO = { product: 'Agentopia Toolboxes', version: '1.0.0' }
  const ME = {
    user: { id: 'u', email: 'owner@localhost', name: 'Owner' },
    account: { id: 'a', name: 'default' },
    role: 'owner',
    hasPassword: true,
    hasSignOn: false,
  }
  const clientsOf = (answer: (path: string) => Response) => {
    const client = createClient({ baseUrl: 'http://there', fetch: async (url) => answer(new URL(url).pathname) })
    return { client, anonymous: client }
  }
  const look = (answer: (path: string) => Response, hasToken = true) =>
    checkControlPlane({
      ...clientsOf(answer),
      url: 'http://there',
      version: '1.0.0',
      hasToken,
      now: () => NOW,
      signal: never,
    })
  const well =
    (date = NOW, info: object = INFO) =>
    (path: string) =>
      Response.json(path === '/api/info' ? info : ME, { headers: { date: new Date(date).toUTCString() } })
  const failures = async (...args: Parameters<typeof look>) =>
    (await look(...args)).filter(({ state }) => state === 'failed').map(({ id, finding, fix }) => [id, finding, fix])

  test('is well', async () => {
    expect((await look(well())).map(({ id, state }) => [id, state])).toEqual([
      ['control-plane', 'ok'],
      ['version', 'ok'],
      ['clock', 'ok'],
      ['sign-in', 'ok'],
    ])
  })

  test('does not answer: what depends on it is not called wrong', async () => {
    const found = await look(() => {
      throw new TypeError('fetch failed')
    })
    expect(found.map(({ id, state }) => [id, state])).toEqual([
      ['control-plane', 'failed'],
      ['version', 'skipped'],
      ['clock', 'skipped'],
      ['sign-in', 'skipped'],
    ])
  })

  test('is another program', async () =>
    expect(await failures(() => new Response('<html>', { status: 404 }))).toEqual([
      ['control-plane', expect.stringContaining('404'), expect.stringContaining('AGENTOPIA_URL')],
    ]))

  test('is of another version', async () =>
    expect(await failures(well(NOW, { ...INFO, version: '2.0.0' }))).toEqual([
      ['version', expect.stringMatching(/2\.0\.0.*1\.0\.0/), expect.stringContaining('upgrade')],
    ]))

  test('has a database that was restored: what is asked for is not carried out', async () =>
    expect(await failures(well(NOW, { ...INFO, recoveringSince: '2026-11-27T07:00:00.000Z' }))).toEqual([
      ['recovery', expect.stringContaining('restored'), expect.stringContaining('npm run end-recovery')],
    ]))

  test.each([
    [-90_000, 'ahead of'],
    [90_000, 'behind'],
  ])('has a clock that is %d ms off', async (off, words) =>
    expect(await failures(well(NOW + off))).toEqual([
      ['clock', `This clock is 90 s ${words} that of the control plane`, expect.stringContaining('set-ntp')],
    ]),
  )

  test('does not know the token, or there is none', async () => {
    const refused = (path: string) => (path === '/api/me' ? new Response('{}', { status: 401 }) : well()(path))
    expect((await failures(refused)).map(([id]) => id)).toEqual(['sign-in'])
    expect(await failures(well(), false)).toEqual([
      ['sign-in', 'No token is stored here', expect.stringContaining('agentopia login')],
    ])
  })
})

describe('Docker', () => {
  const socket = () => join(folder, 'docker.sock')

  test('answers', async () => {
    await listen(answering({ Version: '29.1.0' }), socket())
    expect(await checkDocker(socket(), never)).toMatchObject({
      state: 'ok',
      finding: expect.stringContaining('29.1.0'),
    })
  })

  test('is not there', async () =>
    expect(await checkDocker(socket(), never)).toMatchObject({
      state: 'failed',
      finding: expect.stringContaining('There is no Docker'),
      fix: expect.stringContaining('systemctl enable --now docker'),
    }))

  test('takes the call and does not answer', async () => {
    await listen(
      createServer(() => undefined),
      socket(),
    )
    const limit = AbortSignal.timeout(200)
    expect(await checkDocker(socket(), limit)).toMatchObject({
      state: 'failed',
      finding: expect.stringContaining('does not answer'),
      fix: expect.stringContaining('restart docker'),
    })
  })
})

describe('DTMA', () => {
  test('answers', async () => {
    const port = await listen(answering({ status: 'ok', version: '1.0.0' }), 0)
    expect(await checkDtma(port, never)).toMatchObject({ state: 'ok' })
  })

  test('has no keys yet, is another program, or is not there', async () => {
    const port = await listen(answering({ status: 'unconfigured', version: '1.0.0' }), 0)
    expect(await checkDtma(port, never)).toMatchObject({ finding: expect.stringContaining('unconfigured') })
    const other = await listen(answering([]), 0)
    expect(await checkDtma(other, never)).toMatchObject({ finding: expect.stringContaining('something else') })
    for (const server of servers.splice(0)) server.close()
    expect(await checkDtma(port, never)).toMatchObject({ state: 'failed', finding: expect.stringContaining('No DTMA') })
  })
})

test('the disk is named with its figures', async () =>
  expect((await checkDisk(folder)).finding).toMatch(/^[\d.]+ of [\d.]+ GiB are free at /))

describe('a toolbox', () => {
  const box = (status = 'active') => ({ id: 'toolbox_0123456789abcdef', name: 'alpha', status }) as never
  const observed = (code: string, more: object = {}) => ({
    toolbox: {
      ...{ id: 'toolbox_0123456789abcdef', name: 'alpha', provider: 'join', status: 'active', suspect: false },
      ...{ statusSince: '2026-11-27T08:00:00.000Z', connected: true, createdAt: '2026-11-27T08:00:00.000Z' },
      toolCounts: { running: 0, total: 0 },
    },
    observation: {
      code,
      summary: `it is ${code}`,
      evidence: [],
      since: '2026-11-27T08:00:00.000Z',
      observedAt: '2026-11-27T08:00:00.000Z',
      ...more,
    },
  })
  const client = (observation: unknown, checks: readonly object[] = []) =>
    createClient({
      baseUrl: 'http://there',
      fetch: async (url) => Response.json(url.endsWith('/diagnostics') ? { checks } : observation),
    })

  test('that cannot be reached comes with its next step', async () =>
    expect(await checkToolbox(client(observed('unreachable', { nextStep: 'Start it.' })), box(), never)).toEqual([
      { id: 'alpha', state: 'failed', finding: 'it is unreachable', fix: 'Start it.' },
    ]))

  test('that is reached tells of its Docker, its disk and the rest, also while its Docker is down', async () => {
    const checks = [
      { id: 'docker', ok: false, finding: 'Docker is down', fix: 'Start Docker.' },
      { id: 'clock', ok: true, finding: 'It is now' },
    ]
    const found = await checkToolbox(client(observed('docker_down'), checks), box(), never)
    expect(found.map(({ id, state }) => [id, state])).toEqual([
      ['alpha', 'failed'],
      ['alpha/docker', 'failed'],
      ['alpha/clock', 'ok'],
    ])
    expect(found[1]?.fix).toBe('Start Docker.')
  })

  test('that is still being made is not called wrong', async () =>
    expect(await checkToolbox(client({}), box('awaiting_heartbeat'), never)).toMatchObject([{ state: 'skipped' }]))
})
