import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeAway } from '../belongings.testing.ts'
import { type Client, createClient } from '../contract/client.ts'
import { deleteTool, getHealth, getStatus, getTool, putTool, redeployDtma } from '../contract/operations.ts'
import type { Release } from '../contract/release.ts'
import { until } from '../dtma-process.testing.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { type FakeControlPlane, fakeControlPlane } from '../uplink/control-plane.testing.ts'
import { archiveOf, bundleOf, imageOf, releaseKeys } from './release.testing.ts'

const SOCKET = '/var/run/docker.sock'
const docker = createDockerApi(createEngineHttp(SOCKET))
const never = new AbortController().signal
const run = Math.random().toString(36).slice(2, 8)
const name = `dtma-update-${run}`
const TOOL = `u${run}`
const keys = releaseKeys()
const tags: string[] = []
let plane: FakeControlPlane
let directory = ''
let client: Client

beforeAll(async () => {
  plane = await fakeControlPlane()
  plane.releaseKey = keys.publicKey
  plane.reply = { nextInSeconds: 1, wantReport: true }
  plane.tokens.add('a-token-that-enrols')
  directory = await mkdtemp(join(tmpdir(), 'dtma-update-'))
  const image = await built('1.0.0')
  const port = await freePort()
  client = createClient({ baseUrl: `http://127.0.0.1:${port}`, token: 'api-key-of-epoch-1' })
  await docker.copyContainer(
    name,
    {
      Image: image,
      User: '0:0',
      Env: [
        `AGENTOPIA_API_BASE_URL=${plane.baseUrl}`,
        'TOOLBOX_ID=toolbox_update',
        'ENROLMENT_TOKEN=a-token-that-enrols',
        'HOST=127.0.0.1',
        `PORT=${port}`,
      ],
      Labels: { 'agentopia.toolbox': 'toolbox_update' },
      StopTimeout: 20,
      HostConfig: {
        NetworkMode: 'host',
        Binds: [`${SOCKET}:/var/run/docker.sock`, `${directory}:/var/lib/dtma`],
        Init: true,
        RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=64m' },
      },
    },
    never,
  )
  await docker.startContainer(name, never)
  await until(async () => (await client.call(getHealth, {})).status === 'ok', 60_000)
  await client.call(putTool, { params: { name: TOOL }, body: { generation: 1, spec: EVERYTHING } })
  await until(async () => (await tool()).state === 'running', 120_000)
})
afterAll(async () => {
  await client?.call(deleteTool, { params: { name: TOOL } }).catch(() => undefined)
  for (const left of [name, `${name}-next`]) await docker.removeContainer(left, never)
  await takeAway(directory)
  for (const tag of tags) await docker.removeImage(tag, never)
  await plane?.close()
})

const EVERYTHING = {
  package: { type: 'npm', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' },
  transport: { type: 'stdio' },
} as const

async function owner(): Promise<string> {
  return (await readFile(join(directory, 'owner'), 'utf8')).trim()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** Builds a version. @returns Id of its image. */
async function built(number: string, change?: (text: string) => string): Promise<string> {
  const tag = `dtma-update-test:${run}-${number}`
  const id = await imageOf(docker, tag, number, await bundleOf(number, change))
  tags.push(tag, `agentopia-dtma:${id.replace('sha256:', '').slice(0, 12)}`)
  return id
}

/** Gives a version out. */
async function released(number: string, change?: (text: string) => string): Promise<Release> {
  const { bytes, image } = await archiveOf(SOCKET, await built(number, change))
  plane.archives.set(image.id, bytes)
  await sleep(50) // nothing was read for seconds: what the server closed meanwhile must be noticed before it is used
  return { product: 'dtma', version: number, image }
}

const tool = () => client.call(getTool, { params: { name: TOOL } })
const status = () => client.call(getStatus, {}, { signal: AbortSignal.timeout(5_000) })
const ask = (attempt: string, release: Release) =>
  client.call(redeployDtma, { body: { attempt, release: keys.sign(release) } })
const over = (ms = 60_000) =>
  until(async () => ['done', 'fell_back', 'failed'].includes((await status()).update!.phase), ms)

/** What is left of DTMA on this machine, and that it is one. */
async function containers(): Promise<readonly string[]> {
  const all = await docker.listContainers('agentopia.toolbox=toolbox_update', never)
  return all.flatMap(({ Names, State }) => Names.map((one) => `${one} ${State}`)).filter((one) => one.includes(run))
}

test('U04 a good release takes over: the tool runs on in its container, and exactly one DTMA is left', async () => {
  const before = await tool()
  const release = await released('1.1.0')
  expect(await ask('good', release)).toMatchObject({ phase: 'loading', from: '1.0.0', version: '1.1.0' })
  await until(async () => (await status()).version === '1.1.0', 60_000)
  await over(120_000)
  expect(await status()).toMatchObject({ version: '1.1.0', update: { attempt: 'good', phase: 'done' } })
  await expect.poll(containers).toEqual([`/${name} running`])
  await expect.poll(async () => (await tool()).state, { timeout: 30_000 }).toBe('running')
  expect((await tool()).container).toMatchObject({ id: before.container!.id, startedAt: before.container!.startedAt })
  const heard = () => [...new Set(plane.beats.flatMap(({ update }) => update?.phase ?? []))]
  await expect.poll(heard).toEqual(['loading', 'switching', 'proving', 'done'])
})

test('the same attempt again changes nothing, and what is not newer is refused', async () => {
  const release = await released('1.0.5')
  expect(await ask('good', release)).toMatchObject({ attempt: 'good', version: '1.1.0', phase: 'done' })
  await expect(ask('older', release)).rejects.toMatchObject({ code: 'release-not-newer' })
  expect((await status()).update).toMatchObject({ attempt: 'good', phase: 'done' })
})

test('U03 the same version, signed for this one attempt, makes DTMA anew; in another attempt it is refused', async () => {
  const [before, old] = [await tool(), (await docker.inspectContainer(name, never))!]
  const release = { ...(await released('1.1.0')), again: 'anew' }
  await expect(ask('replayed', release)).rejects.toMatchObject({ code: 'release-not-newer' })
  expect(await ask('anew', release)).toMatchObject({ phase: 'loading', from: '1.1.0', version: '1.1.0' })
  await over(120_000)
  expect(await status()).toMatchObject({ version: '1.1.0', update: { attempt: 'anew', phase: 'done' } })
  await expect.poll(containers).toEqual([`/${name} running`])
  expect((await docker.inspectContainer(name, never))!.Id).not.toBe(old.Id)
  await expect.poll(async () => (await tool()).state, { timeout: 30_000 }).toBe('running')
  expect((await tool()).container).toMatchObject({ id: before.container!.id, startedAt: before.container!.startedAt })
})

test('U04 a release that does not start is replaced by the one before, which says why', async () => {
  const broken = await released('1.2.0', () => 'process.exit(1)')
  const began = performance.now()
  await ask('broken', broken)
  await over(120_000)
  expect(performance.now() - began).toBeLessThan(120_000)
  expect(await status()).toMatchObject({
    version: '1.1.0',
    update: { attempt: 'broken', version: '1.2.0', phase: 'fell_back', reason: 'crash_loop' },
  })
  await expect.poll(containers).toEqual([`/${name} running`])
})

test('U04 a release that starts and is not heard by the control plane is replaced after 120 s', {
  timeout: 400_000,
}, async () => {
  const { version: before } = await status()
  await ask('mute', await released('1.3.0', (text) => text.replaceAll('/dtma/heartbeat', '/dtma/nobody')))
  await over(300_000)
  expect(await status()).toMatchObject({ version: before, update: { phase: 'fell_back', reason: 'no_heartbeat' } })
  await expect.poll(containers).toEqual([`/${name} running`])
})

test('U02 a release that is signed by somebody else is refused, and nothing is fetched', async () => {
  const release = await released('1.4.0')
  const body = { attempt: 'foreign', release: releaseKeys().sign(release) }
  await expect(client.call(redeployDtma, { body })).rejects.toMatchObject({ code: 'release-untrusted' })
  const { manifest, signature } = keys.sign(release)
  const changed = { manifest: manifest.replace('1.4.0', '1.5.0'), signature }
  await expect(client.call(redeployDtma, { body: { attempt: 'changed', release: changed } })).rejects.toMatchObject({
    code: 'release-untrusted',
  })
  expect((await status()).update?.attempt).not.toMatch(/foreign|changed/)
})

test('U03 an archive that is not what was signed is thrown away, and the present DTMA never stops', async () => {
  const { runId, version } = await status()
  const release = await released('1.4.0')
  const bytes = Buffer.from(plane.archives.get(release.image!.id)!)
  bytes[bytes.length >> 1]! ^= 1
  plane.archives.set(release.image!.id, bytes)
  await ask('tampered', release)
  await over()
  expect(await status()).toMatchObject({ runId, version, update: { phase: 'failed', reason: 'tampered' } })
  const images = await docker.inspectImage(`agentopia-dtma:${release.image!.id.slice(7, 19)}`, never)
  expect(images).toBeUndefined()
})

test('U03 killed at any moment of an update, exactly one working DTMA is left', { timeout: 600_000 }, async () => {
  for (const [round, number] of ['2.0.0', '2.1.0', '2.2.0', '2.3.0'].entries()) {
    await ask(`killed-${round}`, await released(number))
    const victims = [name, `${name}-next`, `dtma-switcher-${(await owner()).slice(0, 12)}`]
    const killing = new AbortController()
    const killer = (async () => {
      while (!killing.signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 2_500))
        await killProcessOf(victims[Math.floor(Math.random() * victims.length)]!)
      }
    })()
    await new Promise((resolve) => setTimeout(resolve, 15_000))
    killing.abort()
    await killer
    await over(200_000)
    const { version, update } = await status()
    expect(version).toBe(update!.phase === 'done' ? number : update!.from)
    await expect.poll(containers, { timeout: 30_000 }).toEqual([`/${name} running`])
    const switcher = () => docker.inspectContainer(victims[2]!, never)
    await expect.poll(switcher, { timeout: 30_000 }).toBeUndefined()
  }
  await expect.poll(async () => (await tool()).state, { timeout: 30_000 }).toBe('running')
})

/** As the kernel does it when memory runs out; Docker learns of it afterwards. */
async function killProcessOf(container: string): Promise<void> {
  const path = `/containers/${container}/json`
  const call = { what: 'inspect', method: 'GET', path, deadlineMs: 5_000 } as const
  const found = (await createEngineHttp(SOCKET)
    .json(call, never)
    .catch(() => undefined)) as { State: { Pid: number } } | undefined
  if (!found?.State.Pid) return
  try {
    process.kill(found.State.Pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}
