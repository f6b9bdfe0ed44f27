import { randomBytes } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import type { CreateBody } from '../engine/docker.types.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { createBody } from './create-body.ts'
import { verifyContainer } from './verify-container.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const run = randomBytes(4).toString('hex')
const made: string[] = []

afterAll(async () => {
  for (const id of made) await docker.removeContainer(id, never)
  await docker.removeVolume(`dtma-verify-${run}`, never)
})

const spec = (more: object) =>
  ToolSpec.parse({
    package: { type: 'npm', name: 'server', version: '1.0.0' },
    transport: { type: 'stdio' },
    args: ['-e', 'console.error("up"); process.stdin.pipe(process.stdout)'],
    env: { GREETING: 'hello world', NODE_VERSION: 'overridden' },
    ...more,
  })

async function bodyFor(more: object): Promise<CreateBody> {
  const [image, engine] = [await docker.inspectImage(BASE, never), await docker.info(never)]
  const withCommand = { ...image!, Config: { ...image!.Config, Entrypoint: ['node'] } }
  return createBody({
    name: `verify-${run}`,
    generation: 1,
    spec: spec(more),
    owner: run,
    claim: 'c',
    image: withCommand,
    engine,
  })
}

async function create(body: CreateBody): Promise<string> {
  const id = await docker.createContainer(`dtma-verify-${run}-${made.length}`, body, never)
  made.push(id)
  return id
}

async function differences(asked: CreateBody, id: string): Promise<readonly string[]> {
  const [details, image] = [await docker.inspectContainer(id, never), await docker.inspectImage(BASE, never)]
  return verifyContainer(asked, details!, image!, await docker.info(never))
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

test('what Docker makes of our body is what we asked for', async () => {
  const body = await bodyFor({ state: { path: '/data' } })
  expect(await differences(body, await create(body))).toEqual([])
})

test('a container that got more than we asked for is found out, field by field', async () => {
  const asked = await bodyFor({})
  const loose = {
    ...asked,
    User: '0:0',
    Env: [...asked.Env, 'EXTRA=1'],
    Labels: { ...asked.Labels, 'dtma.claim': 'other' },
    HostConfig: {
      ...asked.HostConfig,
      CapAdd: ['NET_RAW'],
      ReadonlyRootfs: false,
      Binds: ['/etc:/host:ro'],
      MaskedPaths: [],
    },
  }
  const found = await differences(asked, await create(loose))
  expect([...found].sort()).toEqual(
    [
      'User',
      'Env',
      'Labels',
      'Mounts',
      'HostConfig.CapAdd',
      'HostConfig.ReadonlyRootfs',
      'HostConfig.Binds',
      'HostConfig.MaskedPaths',
    ].sort(),
  )
})

test('S09: inside, the tool is nobody, has no network, cannot write and talks over its standard streams from the first byte', async () => {
  const script = `
    const fs = require('node:fs'), os = require('node:os')
    const fails = (act) => { try { act(); return false } catch { return true } }
    console.log(JSON.stringify({
      uid: process.getuid(), networks: Object.keys(os.networkInterfaces()),
      readOnly: fails(() => fs.writeFileSync('/x', '')), tmp: !fails(() => fs.writeFileSync('/tmp/x', '')),
      capabilities: /CapEff:\\s*(\\w+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1],
      bounding: /CapBnd:\\s*(\\w+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1],
      seccomp: /Seccomp:\\s*(\\d)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1],
      noNewPrivileges: /NoNewPrivs:\\s*(\\d)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1],
    }))
    process.stdin.pipe(process.stdout)`
  const id = await create(await bodyFor({ args: ['-e', script] }))
  const attached = await docker.attachContainer(id, { stderr: false }, never)
  await docker.startContainer(id, never)

  const [first] = (await attached.stdout.take(1).toArray()) as Buffer[]
  expect(JSON.parse(String(first))).toEqual({
    uid: 65532,
    networks: ['lo'],
    readOnly: true,
    tmp: true,
    capabilities: '0000000000000000',
    bounding: '0000000000000000',
    seccomp: '2',
    noNewPrivileges: '1',
  })
  attached.close()

  const again = await docker.attachContainer(id, { stderr: false }, never)
  again.stdin.write('still there?')
  const [echo] = (await again.stdout.take(1).toArray()) as Buffer[]
  expect(String(echo)).toBe('still there?')
  again.close()
  expect((await docker.inspectContainer(id, never))!.State.Running).toBe(true)
})

/** What a server of this program prints, under the strict profile. */
async function printed(script: string, more: object = {}): Promise<unknown> {
  const id = await create(await bodyFor({ args: ['-e', script], ...more }))
  const attached = await docker.attachContainer(id, { stderr: false }, never)
  await docker.startContainer(id, never)
  let text = ''
  for await (const chunk of attached.stdout) {
    text += chunk
    if (text.includes('\n')) break
  }
  attached.close()
  await docker.killContainer(id, never).catch(() => undefined) // it may have ended
  return JSON.parse(text)
}

test('D10 S11: processes, memory, open files and /tmp end at their limits, inside the tool', async () => {
  const script = `
    const fs = require('node:fs')
    const limitOf = (act) => { for (let n = 0; n < 5000; n++) { try { act(n) } catch (error) { return [n, error.code] } } return [5000, ''] }
    const files = limitOf(() => fs.openSync('/proc/self/status'))
    console.log(JSON.stringify({ files }))`
  const [files, code] = ((await printed(script)) as { files: [number, string] }).files
  expect(code).toBe('EMFILE')
  expect(files).toBeLessThanOrEqual(1_024)

  const tmp = `
    const fs = require('node:fs'), block = Buffer.alloc(1 << 20), file = fs.openSync('/tmp/x', 'w')
    let mib = 0, code = ''
    try { for (; mib < 200; mib++) fs.writeSync(file, block) } catch (error) { code = error.code }
    console.log(JSON.stringify({ mib, code }))`
  expect(await printed(tmp)).toEqual({ mib: 64, code: 'ENOSPC' })

  const fork = `
    const { spawn } = require('node:child_process')
    let made = 0, failed = 0
    const next = (n) => {
      if (n === 200) return setTimeout(() => console.log(JSON.stringify({ made, failed: failed > 0 })), 500)
      const child = spawn('sleep', ['60'], { stdio: 'ignore' })
      child.on('error', () => { failed++; next(n + 1) }).on('spawn', () => { made++; next(n + 1) })
    }
    next(0)`
  const { made, failed } = (await printed(fork)) as { made: number; failed: boolean }
  const { PidsLimit } = await docker.info(never)
  if (PidsLimit) {
    expect(failed).toBe(true)
    expect(made).toBeLessThan(64)
  } else expect(made).toBe(200)
})

test('S10: what would give a tool more rights is refused by the kernel', async () => {
  const script = `
    const { spawnSync } = require('node:child_process'), fs = require('node:fs')
    const run = (command, ...args) => { const { status, error } = spawnSync(command, args); return error?.code ?? status }
    const write = (path) => { try { fs.writeFileSync(path, '1'); return 'written' } catch (error) { return error.code } }
    console.log(JSON.stringify({
      unshare: run('unshare', '--user', 'true'), mount: run('mount', '-t', 'tmpfs', 'x', '/mnt'), su: run('su', '-c', 'id'),
      setuid: (() => { try { process.setuid(0); return 'root' } catch (error) { return error.code } })(),
      sysctl: write('/proc/sys/kernel/core_pattern'), trigger: write('/proc/sysrq-trigger'), device: write('/dev/sda'),
      hostname: run('hostname', 'x'),
    }))`
  const answers = Object.entries((await printed(script)) as Record<string, unknown>)
  expect(answers.filter(([, answer]) => answer === 0 || answer === 'written' || answer === 'root')).toEqual([])
})

test('stopping, killing and removing may be repeated, and the log is there with times', async () => {
  const id = await create(await bodyFor({}))
  await docker.startContainer(id, never)
  await docker.startContainer(id, never)
  for await (const line of docker.containerLogs(id, { follow: true, stdout: false, stderr: true }, never)) {
    expect(line.line).toBe('up')
    break
  }
  await docker.stopContainer(id, 5, never)
  await docker.stopContainer(id, 5, never)
  const [line] = await collect(docker.containerLogs(id, { follow: false, stdout: false, stderr: true }, never))
  expect(line).toMatchObject({ stream: 'stderr', line: 'up' })
  const after = docker.containerLogs(id, { follow: false, since: line!.at, stdout: true, stderr: true }, never)
  expect((await collect(after)).filter(({ at }) => at > line!.at)).toEqual([])
  await docker.removeContainer(id, never)
  await docker.removeContainer(id, never)
  expect(await docker.inspectContainer(id, never)).toBeUndefined()
})
