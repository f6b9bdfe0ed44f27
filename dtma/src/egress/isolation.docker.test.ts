import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { createLog } from '../log.ts'
import { NAMES_ON_THE_NETWORK } from '../tools/create-body.ts'
import { runnerBaseOf } from '../tools/runner-base.ts'
import { systemClock } from '../uplink/clock.ts'
import { startEgress } from './egress.ts'
import { PROXY_PORT } from './gateway.script.ts'
import { hostAddresses } from './host-addresses.ts'
import { watchIsolation } from './isolation.ts'
import { type Forbidden, probe } from './probe.script.ts'
import { forbiddenOf } from './probe.ts'
import { runToEnd } from './run-script.ts'
import { scriptContainer } from './script-container.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const engine = createEngineHttp('/var/run/docker.sock')
const docker = createDockerApi(engine)
const never = new AbortController().signal
const stop = new AbortController()
const owner = randomBytes(16).toString('hex')
const image = runnerBaseOf(docker, async () => [BASE])
const addresses = (signal: AbortSignal) => hostAddresses({ docker, owner, image, self: async () => undefined }, signal)
const log = createLog({ level: 'warn', write: (line) => void process.stderr.write(line), date: () => new Date() })
const stateDirectory = mkdtempSync(join(tmpdir(), 'dtma-isolation-'))
const egress = startEgress({
  docker,
  owner,
  image,
  stateDirectory,
  self: async () => undefined,
  hostAddresses: addresses,
  log,
  sleep: systemClock.sleep,
  signal: stop.signal,
})
const other = `dtma-${owner.slice(0, 6)}-other`
let dtma: Server
let port = 0

beforeAll(async () => {
  dtma = createServer((_, response) => response.end('DTMA')).listen(0, '0.0.0.0')
  await once(dtma, 'listening')
  port = (dtma.address() as { port: number }).port
  await docker.createIsolatedNetwork(other, {}, never)
  await egress.join(other, 'none', never)
})
afterAll(async () => {
  dtma.close()
  stop.abort()
  await egress.leave(other, never)
  await docker.removeNetwork(other, never)
  const left = await docker.listContainers(`dtma.owner=${owner}`, never)
  expect(left).toEqual([])
  rmSync(stateDirectory, { recursive: true })
})

test('S01 S02 S03: from a tool, neither metadata nor toolbox, other tools, private networks or the outside are reached', async () => {
  const watch = watchIsolation({
    docker,
    owner,
    image,
    egress,
    hostAddresses: addresses,
    port,
    log,
    date: () => new Date(),
    sleep: systemClock.sleep,
    onChange: () => undefined,
    signal: stop.signal,
  })
  await expect.poll(() => watch.isolation, { timeout: 60_000 }).toMatchObject({ state: 'ok', leaks: [] })
  expect([...egress.routes.keys()]).toEqual([other])
})

test('the same probe on a plain network of Docker finds what it must find there: it can fail', async () => {
  const name = `dtma-${owner.slice(0, 6)}-plain`
  const call = { what: 'create', method: 'POST', path: '/networks/create', deadlineMs: 30_000 } as const
  await engine.json({ ...call, body: { Name: name } }, never)
  const id = await docker.createContainer(
    name,
    scriptContainer({
      image: await image(never),
      owner,
      network: name,
      script: `require('node:net').createServer((s) => s.end()).listen(${PROXY_PORT})`,
    }),
    never,
  )
  try {
    await docker.startContainer(id, never)
    const { IPAM, Containers } = (await docker.inspectNetwork(name, never))!
    const neighbour = Containers[id]!.IPv4Address.split('/')[0]!
    const subnet = IPAM.Config[0]!.Subnet
    const machine = await addresses(never)
    const forbidden = forbiddenOf({ machine, ports: [port], subnet, others: [neighbour] })
    const script = `(${probe})(${JSON.stringify(forbidden)}, ${JSON.stringify(neighbour)}, ${PROXY_PORT})`
    const body = scriptContainer({ image: await image(never), owner, network: name, script })
    const HostConfig = { ...body.HostConfig, ...NAMES_ON_THE_NETWORK }
    const text = await runToEnd(docker, `${name}-probe`, { ...body, HostConfig }, never)
    const reached = (JSON.parse(text) as Forbidden[]).map(({ what, host, port }) => `${what} ${host}:${port}`)
    expect(reached).toContain(`another tool ${neighbour}:${PROXY_PORT}`)
    expect(reached).toContain(`toolbox ${subnet.replace(/\.\d+\/\d+$/, '.1')}:${port}`)
  } finally {
    await docker.removeContainer(id, never)
    await docker.removeNetwork(name, never)
  }
})
