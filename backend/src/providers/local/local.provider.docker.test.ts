import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NETLINK_SCRIPT, readTable, replaceTable, repliesIn } from '@agentopia/dtma/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Machine } from '../provider.ts'
import { createDocker } from './docker.ts'
import { containerName } from './dtma-container.ts'
import { createLocalProvider, type LocalProviderConfig } from './local.provider.ts'
import { stopLocalToolbox } from './stop-local-toolbox.ts'

// A stand-in for DTMA: tells what it sees as a file in its state directory, and ends in order when it is asked to.
const SCRIPT = `
const fs = require('fs'), http = require('http')
const tell = (docker) => fs.writeFileSync('/var/lib/dtma/told', JSON.stringify({
  docker, uid: process.getuid(), env: process.env, pid: process.pid, argv: process.argv,
  token: fs.readFileSync(process.env.ENROLMENT_TOKEN_FILE, 'utf8'),
  rootIsReadOnly: (() => { try { fs.writeFileSync('/x', ''); return false } catch { return true } })() }))
http.get({ socketPath: '/var/run/docker.sock', path: '/_ping' }, (r) => tell(r.statusCode)).on('error', (e) => tell(e.code))
process.on('SIGTERM', () => process.exit(0))
setInterval(() => {}, 1000)
`

const SOCKET = '/var/run/docker.sock'
const run = randomBytes(4).toString('hex')
const image = `agentopia-test-dtma:${run}`
const toolboxId = `toolbox_test${run}0000`
const name = containerName(toolboxId)
const dataDir = mkdtempSync(join(tmpdir(), 'agentopia-local-'))
const stateDir = join(dataDir, 'dtma')
const config: LocalProviderConfig = {
  dataDir,
  apiBaseUrl: 'http://127.0.0.1:1',
  image,
  port: 30000,
  socketPath: SOCKET,
}
const docker = createDocker(SOCKET)
const provider = createLocalProvider(docker, config)
const signal = new AbortController().signal
const cli = (...args: string[]) =>
  execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
/** Asks the kernel of this machine for its firewall. */
function ask(question: Buffer) {
  const right = ['--network', 'host', '--cap-add', 'NET_ADMIN', '--user', '0:0', '--entrypoint', 'perl']
  const options = { encoding: 'utf8', input: `${question.toString('hex')}\n` } as const
  return repliesIn(
    Buffer.from(execFileSync('docker', ['run', '--rm', '-i', ...right, image, '-e', NETLINK_SCRIPT], options), 'hex'),
  )
}
const others: string[] = []
const images = new Set<string>()

function buildImage(tag: string, label: string): void {
  const context = mkdtempSync(join(tmpdir(), 'agentopia-image-'))
  writeFileSync(join(context, 'dtma.cjs'), SCRIPT)
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM node:24-slim\nLABEL variant=${label}\nCOPY dtma.cjs /dtma.cjs\nENTRYPOINT ["node", "/dtma.cjs"]\n`,
  )
  images.add(cli('build', '-q', '-t', tag, context))
  rmSync(context, { recursive: true })
}

/** Waits until `look` answers something, at most 20 s. */
async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const seen = await look()
    if (seen !== undefined) return seen
  }
  throw new Error('it did not happen within 20 s')
}

interface Told {
  readonly docker: number | string
  readonly uid: number
  readonly env: Record<string, string>
  readonly pid: number
  readonly argv: string[]
  readonly token: string
  readonly rootIsReadOnly: boolean
}
const told = (): Told | undefined => {
  try {
    return JSON.parse(readFileSync(join(stateDir, 'told'), 'utf8')) as Told
  } catch {
    return undefined // not yet, or half written
  }
}
const machine = async (): Promise<Machine> => (await provider.find(toolboxId, signal))!
const inState = (state: Machine['state']) =>
  eventually(async () => {
    const found = await machine()
    return found.state === state ? found : undefined
  })

beforeAll(() => buildImage(image, 'one'))
afterAll(() => {
  for (const container of [name, ...others]) {
    try {
      cli('rm', '-f', container)
    } catch {
      // it is gone already
    }
  }
  cli('rmi', '-f', ...images)
  rmSync(dataDir, { recursive: true, force: true })
})

test('DTMA runs on this machine, may use Docker, and finds its enrolment token in a file of its own', async () => {
  expect(await provider.find(toolboxId, signal)).toBeUndefined()
  await provider.create(toolboxId, 'the enrolment token', signal)
  expect(await machine()).toMatchObject({ state: 'running', current: true, ref: name })

  const seen = await eventually(told)
  expect(seen).toMatchObject({ docker: 200, token: 'the enrolment token', rootIsReadOnly: true })
  expect(seen.env).toMatchObject({ TOOLBOX_ID: toolboxId, HOST: '127.0.0.1', PORT: '30000' })
  expect(seen.uid).toBe(process.getuid!() === 0 ? 1000 : process.getuid!())
  expect(cli('inspect', name) + JSON.stringify([seen.env, seen.argv])).not.toContain('the enrolment token')
  expect(statSync(join(stateDir, 'enrolment-token')).mode & 0o777).toBe(0o600)
  expect(statSync(stateDir).mode & 0o777).toBe(0o700)
})

test('creating it again replaces the container and keeps the state', async () => {
  writeFileSync(join(stateDir, 'kept'), 'yes')
  const before = cli('inspect', '-f', '{{.Id}}', name)
  await provider.create(toolboxId, 'another token', signal)
  expect(cli('inspect', '-f', '{{.Id}}', name)).not.toBe(before)
  expect(readFileSync(join(stateDir, 'kept'), 'utf8')).toBe('yes')
  expect(await eventually(() => (told()?.token === 'another token' ? true : undefined))).toBe(true)
})

test('a renewed token replaces the file in one step', async () => {
  await provider.renewToken(toolboxId, 'renewed', signal)
  expect(readFileSync(join(stateDir, 'enrolment-token'), 'utf8')).toBe('renewed')
})

test('a process that was killed is brought back by Docker', async () => {
  const before = cli('inspect', '-f', '{{.State.Pid}}', name)
  process.kill(Number(before), 'SIGKILL')
  const after = await eventually(() => {
    const pid = cli('inspect', '-f', '{{.State.Pid}}', name)
    return pid !== '0' && pid !== before ? pid : undefined
  })
  expect(after).not.toBe(before)
  await inState('running')
})

test('stopped, killed and paused by hand look different, and can be undone', async () => {
  await inState('running')
  cli('stop', name)
  const stopped = await inState('stopped')
  expect([0, 143]).toContain(stopped.exit!.code)
  expect(stopped).toMatchObject({ remedy: `Start it: docker start ${name}` })
  expect(Math.abs(stopped.exit!.at.getTime() - Date.now())).toBeLessThan(10_000)

  await provider.start(toolboxId, signal)
  await provider.start(toolboxId, signal)
  await inState('running')
  cli('kill', name)
  expect(await inState('stopped')).toMatchObject({ exit: { code: 137 } })

  await provider.start(toolboxId, signal)
  cli('pause', name)
  expect(await inState('paused')).toMatchObject({ remedy: `Resume it: docker unpause ${name}` })
  cli('unpause', name)
  await inState('running')
})

test('another image or another environment makes the container an old one', async () => {
  const elsewhere = createLocalProvider(docker, { ...config, apiBaseUrl: 'http://127.0.0.1:2' })
  expect((await elsewhere.find(toolboxId, signal))?.current).toBe(false)
  buildImage(image, 'two')
  expect((await machine()).current).toBe(false)
  await provider.create(toolboxId, 'token', signal)
  expect((await machine()).current).toBe(true)
})

test('a DTMA that this data directory had before makes room', async () => {
  const successor = `toolbox_after${run}000`
  others.push(containerName(successor))
  await provider.create(successor, 'token', signal)
  expect(await provider.find(toolboxId, signal)).toBeUndefined()
  await provider.create(toolboxId, 'token', signal)
  expect(await provider.find(successor, signal)).toBeUndefined()
})

test('what is missing is said with the fix', async () => {
  const absent = createLocalProvider(docker, { ...config, image: 'agentopia-test-none:1' })
  await expect(absent.create(toolboxId, 't', signal)).rejects.toThrow('docker build -t agentopia-test-none:1 dtma/')
  const foreign = `toolbox_foreign${run}0`
  others.push(containerName(foreign))
  cli('create', '--name', containerName(foreign), image)
  await expect(provider.find(foreign, signal)).rejects.toThrow('not ours')
})

test('stopping the product ends DTMA and its own tools, and nobody else’s', async () => {
  await inState('running')
  writeFileSync(join(stateDir, 'owner'), `owner-${run}\n`)
  const start = (suffix: string, owner: string) => {
    const container = `agentopia-test-${run}-${suffix}`
    others.push(container)
    cli(
      'run',
      '-d',
      '--init',
      '--name',
      container,
      '--label',
      `dtma.owner=${owner}`,
      '--entrypoint',
      'sleep',
      image,
      '600',
    )
    return container
  }
  const [mine, theirs] = [start('mine', `owner-${run}`), start('theirs', 'another')]

  const table = `dtma-${`owner-${run}`.slice(0, 12)}`
  ask(replaceTable(table, { bridges: ['br-of-nobody'], gateway: [] }))
  expect(await stopLocalToolbox(docker, { dataDir, image }, signal)).toEqual({ dtma: 1, tools: 1 })
  expect(await readTable(table, async (question) => ask(question))).toBe('')
  const left = cli('ps', '-a', '--format', '{{.Names}}').split('\n')
  expect([left.includes(name), left.includes(mine), left.includes(theirs)]).toEqual([false, false, true])
  expect(readFileSync(join(stateDir, 'kept'), 'utf8')).toBe('yes')
  expect(await stopLocalToolbox(docker, { dataDir, image }, signal)).toEqual({ dtma: 0, tools: 0 })
})

test('D16 destroying it takes what DTMA has made and its state too, nobody else’s, and may be repeated', async () => {
  mkdirSync(stateDir, { recursive: true })
  writeFileSync(join(stateDir, 'owner'), `owner-${run}\n`)
  const names = ['mine', 'theirs'].map((suffix) => `agentopia-test-${run}-of-${suffix}`)
  for (const [index, one] of names.entries()) {
    const label = `dtma.owner=${index === 0 ? `owner-${run}` : 'another'}`
    cli('network', 'create', '--internal', '--label', label, one)
    cli('volume', 'create', '--label', label, one)
    cli(
      'run',
      '-d',
      '--name',
      one,
      '--label',
      label,
      '--network',
      one,
      '-v',
      `${one}:/data`,
      '--entrypoint',
      'sleep',
      image,
      '600',
    )
  }
  others.push(names[1]!)
  const left = (...list: string[]) =>
    cli(...list, '--format', '{{.Name}}')
      .split('\n')
      .filter((one) => names.includes(one))
  const containers = () =>
    cli('ps', '-a', '--format', '{{.Names}}')
      .split('\n')
      .filter((one) => names.includes(one))
  const table = `dtma-${`owner-${run}`.slice(0, 12)}`
  ask(replaceTable(table, { bridges: ['br-of-nobody'], gateway: [] }))
  expect(await readTable(table, async (question) => ask(question))).not.toBe('')
  await provider.destroy(toolboxId, signal)
  await provider.destroy(toolboxId, signal)
  expect(await provider.find(toolboxId, signal)).toBeUndefined()
  expect(() => statSync(stateDir)).toThrow('ENOENT')
  expect(await readTable(table, async (question) => ask(question))).toBe('')
  const theirs = [names[1]]
  expect([containers(), left('network', 'ls'), left('volume', 'ls')]).toEqual([theirs, theirs, theirs])
  cli('rm', '-f', names[1]!)
  cli('network', 'rm', names[1]!)
  cli('volume', 'rm', names[1]!)
})
