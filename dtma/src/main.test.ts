import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { fakeControlPlane } from './uplink/control-plane.testing.ts'

const KEY = 'a-key-of-the-control-plane'
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** DTMA as a process, with a directory of its own and no Docker. */
function start(env: Record<string, string> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'dtma-main-'))
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: {
      DTMA_STATE_DIR: directory,
      DOCKER_HOST: 'unix:///nowhere/docker.sock',
      HOST: '127.0.0.1',
      PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let output = ''
  let errors = ''
  child.stdout!.on('data', (chunk) => (output += chunk))
  child.stderr!.on('data', (chunk) => (errors += chunk))
  cleanups.push(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(directory, { recursive: true, force: true })
  })
  return { child, directory, ended, output: () => output, errors: () => errors }
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function answer(port: number, path: string): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${KEY}` } })
    } catch (error) {
      if (attempt > 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

test('wrong variables end the process with 78 and one line each, without their values', async () => {
  const { ended, errors } = start({ PORT: 'eighty', LOG_LEVEL: 'loud' })
  expect(await ended).toBe(78)
  expect(errors().trim().split('\n')).toHaveLength(2)
  expect(errors()).not.toMatch(/eighty|loud/)
})

test('a taken port ends the process with one sentence that says what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  const { port } = server.address() as { port: number }
  const { ended, errors } = start({ PORT: String(port) })
  expect(await ended).toBe(1)
  expect(errors().trim()).toBe(`Port ${port} is in use by another program: stop it, or set PORT to another one.`)
})

test('without Docker and without keys it answers /health, and ends cleanly when told to', async () => {
  const port = await freePort()
  const { child, ended } = start({ PORT: String(port) })
  expect(await (await answer(port, '/health')).json()).toMatchObject({ status: 'unconfigured' })
  expect((await answer(port, '/status')).status).toBe(503)
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
})

test('where others can come, everything but /health is https, also with nothing set', async () => {
  const port = await freePort()
  start({ PORT: String(port), HOST: '0.0.0.0', BACKEND_TO_DTMA_API_KEY: KEY })
  expect((await answer(port, '/health')).status).toBe(200)
  expect(await (await answer(port, '/status')).json()).toMatchObject({ status: 403, code: 'tls-required' })
})

test('with a key it tells the truth about a Docker that is not there', async () => {
  const port = await freePort()
  start({ PORT: String(port), BACKEND_TO_DTMA_API_KEY: KEY })
  await answer(port, '/health')
  const status = (await (await answer(port, '/status')).json()) as Record<string, unknown>
  expect(status).toMatchObject({ apiVersion: 1, docker: { state: 'down' }, tools: [] })
})

test('the names of the environment that it always had are enough: it reports with the one, and answers to the other', async () => {
  const port = await freePort()
  const plane = await fakeControlPlane()
  cleanups.push(() => plane.close())
  plane.bearer = 'a-bearer-token-of-this-toolbox'
  start({
    AGENTOPIA_API_BASE_URL: plane.baseUrl,
    DTMA_BEARER_TOKEN: plane.bearer,
    BACKEND_TO_DTMA_API_KEY: KEY,
    PORT: String(port),
  })
  await expect.poll(() => plane.beats.length, { timeout: 10_000 }).toBeGreaterThan(0)
  await expect.poll(() => plane.tunnels.length).toBe(1)
  expect((await answer(port, '/status')).status).toBe(200)
  expect(plane.enrolments).toEqual([])
})

test('E12 on the direct road everything but /health is https, and no tunnel is dialled', async () => {
  const port = await freePort()
  const plane = await fakeControlPlane()
  cleanups.push(() => plane.close())
  plane.bearer = 'a-bearer-token-of-this-toolbox'
  start({
    AGENTOPIA_API_BASE_URL: plane.baseUrl,
    DTMA_BEARER_TOKEN: plane.bearer,
    BACKEND_TO_DTMA_API_KEY: KEY,
    DTMA_ROAD: 'direct',
    PORT: String(port),
  })
  expect((await answer(port, '/health')).status).toBe(200)
  expect(await (await answer(port, '/status')).json()).toMatchObject({ status: 403, code: 'tls-required' })
  await expect.poll(() => plane.beats.length, { timeout: 10_000 }).toBeGreaterThan(0)
  expect(plane.tunnels).toEqual([])
})

test('its road is changed while it runs, and is the same after it was killed', async () => {
  const port = await freePort()
  const plane = await fakeControlPlane()
  cleanups.push(() => plane.close())
  plane.bearer = 'a-bearer-token-of-this-toolbox'
  const env = {
    AGENTOPIA_API_BASE_URL: plane.baseUrl,
    DTMA_BEARER_TOKEN: plane.bearer,
    BACKEND_TO_DTMA_API_KEY: KEY,
    PORT: String(port),
  }
  const first = start(env)
  const openTunnels = () => plane.tunnels.filter(({ readyState }) => readyState === WebSocket.OPEN).length
  await expect.poll(openTunnels, { timeout: 10_000 }).toBe(1)
  const asked = await fetch(`http://127.0.0.1:${port}/road`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ road: 'direct' }),
  })
  expect(await asked.json()).toMatchObject({ road: 'direct', host: '0.0.0.0', port })
  await expect.poll(openTunnels).toBe(0)
  expect(await (await answer(port, '/status')).json()).toMatchObject({ code: 'tls-required' })
  first.child.kill('SIGKILL')
  await first.ended

  const before = plane.beats.length
  const second = start({ ...env, DTMA_STATE_DIR: first.directory })
  await expect.poll(() => plane.beats.length, { timeout: 10_000 }).toBeGreaterThan(before)
  expect(openTunnels()).toBe(0)
  expect(await (await answer(port, '/status')).json()).toMatchObject({ code: 'tls-required' })
  expect(second.output()).toContain('DTMA_ROAD says how it began')
})

test('L12 a DTMA that stood still catches up with a word or two, not with all that it did not say', async () => {
  const plane = await fakeControlPlane()
  cleanups.push(() => plane.close())
  plane.bearer = 'a-bearer-token-of-this-toolbox'
  plane.reply = { nextInSeconds: 1, wantReport: false } // ninety seconds of silence are nine of these
  const { child } = start({ AGENTOPIA_API_BASE_URL: plane.baseUrl, DTMA_BEARER_TOKEN: plane.bearer })
  await expect.poll(() => plane.beats.length, { timeout: 10_000 }).toBeGreaterThan(1)
  child.kill('SIGSTOP')
  await sleep(9_000)
  const before = plane.beats.length
  child.kill('SIGCONT')
  await expect.poll(() => plane.beats.length, { timeout: 5_000, interval: 20 }).toBeGreaterThan(before)
  await sleep(500)
  expect(plane.beats.length - before).toBeLessThanOrEqual(3)
  expect(plane.tunnels).toHaveLength(1)
})

test('a state directory that cannot be used keeps tools away, not /health', async () => {
  const port = await freePort()
  start({
    PORT: String(port),
    BACKEND_TO_DTMA_API_KEY: KEY,
    DTMA_STATE_DIR: join(import.meta.filename, 'no-directory'),
  })
  expect((await answer(port, '/health')).status).toBe(200)
  expect((await answer(port, '/status')).status).toBe(200)
  expect(await (await answer(port, '/tools')).json()).toMatchObject({ status: 503, code: 'state-not-writable' })
})

test('a second DTMA on the same state directory ends with one sentence', async () => {
  const port = await freePort()
  const first = start({ PORT: String(port) })
  await answer(port, '/health')
  await expect.poll(() => first.output()).toContain('listens')
  const second = start({ DTMA_STATE_DIR: first.directory })
  expect(await second.ended).toBe(1)
  expect(second.errors()).toContain('Another DTMA uses the state directory')
})

test('a restart begins anew in the same process', async () => {
  const port = await freePort()
  const { child } = start({ PORT: String(port), BACKEND_TO_DTMA_API_KEY: KEY })
  const runOf = async () => ((await (await answer(port, '/status')).json()) as { runId: string }).runId
  await answer(port, '/health')
  const before = await runOf()
  const headers = { authorization: `Bearer ${KEY}` }
  const asked = await fetch(`http://127.0.0.1:${port}/restart`, { method: 'POST', headers })
  expect([asked.status, await asked.json()]).toEqual([202, { restarting: true }])
  await expect.poll(runOf, { timeout: 10_000 }).not.toBe(before)
  expect(child.exitCode).toBeNull()
})
