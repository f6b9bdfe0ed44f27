import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DockerApi } from '../engine/docker.api.ts'
import { createLog } from '../log.ts'
import { copyImages, type PrivateDocker, privateDocker } from '../private-docker.testing.ts'
import { runnerBaseOf } from '../tools/runner-base.ts'
import { systemClock } from '../uplink/clock.ts'
import { type Egress, startEgress } from './egress.ts'
import { hostAddresses } from './host-addresses.ts'
import { watchIsolation } from './isolation.ts'
import { runToEnd } from './run-script.ts'
import { scriptContainer } from './script-container.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const PORT = 30_000
const MACHINE = '172.31.7.1'
const never = new AbortController().signal
const stop = new AbortController()
const owner = randomBytes(16).toString('hex')
const neighbours = `dtma-${owner.slice(0, 6)}-neighbours`
const log = createLog({ level: 'warn', write: (line) => void process.stderr.write(line), date: () => new Date() })
const image = (signal: AbortSignal) => runnerBaseOf(docker, async () => [BASE])(signal)
const addresses = (signal: AbortSignal) => hostAddresses({ docker, owner, image, self: async () => undefined }, signal)
let machine: PrivateDocker
let docker: DockerApi
let egress: Egress

beforeAll(async () => {
  machine = await privateDocker()
  docker = machine.docker
  await machine.start({ liveRestore: false })
  await copyImages('/var/run/docker.sock', machine.socketPath, [BASE], '/var/tmp/dtma-firewall.tar')
  const { sleep } = systemClock
  const deps = { docker, owner, image, stateDirectory: machine.disk, self: async () => undefined }
  egress = startEgress({ ...deps, hostAddresses: addresses, log, sleep, signal: stop.signal })
  // What must not be reached is there: the port of DTMA, and a tool that listens.
  await listening('host', PORT)
  await docker.createIsolatedNetwork(neighbours, {}, never)
  await egress.join(neighbours, 'none', never)
  await listening(neighbours, 3_000)
})
afterAll(async () => {
  stop.abort()
  await machine?.close()
})

async function listening(network: string, port: number): Promise<void> {
  const script = `require('node:net').createServer((socket) => socket.end()).listen(${port}, '0.0.0.0')`
  const body = scriptContainer({ image: await image(never), owner, network, script })
  await docker.startContainer(await docker.createContainer(`listening-${port}`, body, never), never)
}

/** What a container of Docker's own default network gets of the machine's port: there the firewall is all that there is. */
async function fromPlainNetwork(): Promise<string> {
  const script = `require('node:net').connect(${PORT}, '${MACHINE}').setTimeout(3000, () => end('silence'))
    .on('connect', () => end('connected')).on('error', ({ code }) => end(code))
    const end = (what) => process.stdout.write(what, () => process.exit())`
  return runToEnd(
    docker,
    'plain',
    scriptContainer({ image: await image(never), owner, network: 'bridge', script }),
    never,
  )
}

test.for<[string, readonly (readonly string[])[]]>([
  ['as Docker makes it', []],
  ['flushed', [['-F']]],
  ['flushed and open', [['-F'], ['-t', 'nat', '-F'], ['-P', 'FORWARD', 'ACCEPT'], ['-P', 'INPUT', 'ACCEPT']]],
])('S17: with the firewall %s a tool reaches no more than before: nothing rests on it', async ([, rules]) => {
  for (const args of rules) await machine.inside('iptables', args)
  const look = new AbortController()
  const watch = watchIsolation({
    docker,
    owner,
    image,
    egress,
    hostAddresses: addresses,
    port: PORT,
    log,
    date: () => new Date(),
    sleep: systemClock.sleep,
    onChange: () => undefined,
    signal: AbortSignal.any([stop.signal, look.signal]),
  })
  await expect.poll(() => watch.isolation, { timeout: 60_000 }).toMatchObject({ state: 'ok', leaks: [] })
  look.abort()
  await watch.stopped
  expect(await fromPlainNetwork()).toBe('connected')
})
