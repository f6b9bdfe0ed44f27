import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Egress as Allowed } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { createLog } from '../log.ts'
import { NAMES_ON_THE_NETWORK } from '../tools/create-body.ts'
import { runnerBaseOf } from '../tools/runner-base.ts'
import { systemClock } from '../uplink/clock.ts'
import { type Egress, startEgress } from './egress.ts'
import { type FakeInternet, fakeInternet } from './fake-internet.testing.ts'
import { gatewayNameOf } from './gateway.ts'
import { hostAddresses } from './host-addresses.ts'
import { runToEnd } from './run-script.ts'
import { scriptContainer } from './script-container.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const never = new AbortController().signal
const stop = new AbortController()
const owner = randomBytes(16).toString('hex')
const run = owner.slice(0, 6)
const image = runnerBaseOf(docker, async () => [BASE])
const networks: string[] = []
const stateDirectory = mkdtempSync(join(tmpdir(), 'dtma-egress-'))
let internet: FakeInternet
let egress: Egress

beforeAll(async () => {
  internet = await fakeInternet(docker, await image(never), run)
  const deps = { docker, owner, image }
  egress = startEgress({
    ...deps,
    stateDirectory,
    self: async () => undefined,
    nameServers: [internet.address],
    hostAddresses: (signal) => hostAddresses({ ...deps, self: async () => undefined }, signal),
    log: createLog({ level: 'warn', write: (line) => void process.stderr.write(line), date: () => new Date() }),
    sleep: systemClock.sleep,
    signal: stop.signal,
  })
})
afterAll(async () => {
  for (const network of networks) {
    await egress.leave(network, never)
    await docker.removeNetwork(network, never)
  }
  await internet.close()
  stop.abort()
  await egress.stopped
  expect(await docker.inspectContainer(gatewayNameOf(owner), never)).toBeUndefined()
  rmSync(stateDirectory, { recursive: true })
})

async function network(suffix: string, allowed: Allowed): Promise<string> {
  const name = `dtma-${run}-${suffix}`
  await docker.createIsolatedNetwork(name, {}, never)
  networks.push(name)
  await egress.join(name, allowed, never)
  await internet.reachableBy(gatewayNameOf(owner))
  return name
}

/** Runs this in a container on the network, as a tool would. @returns What it printed, as JSON. */
async function inside(network: string, script: string): Promise<unknown> {
  const body = scriptContainer({ image: await image(never), owner, network, script: `${TRY}\n${script}` })
  const HostConfig = { ...body.HostConfig, ...NAMES_ON_THE_NETWORK }
  return JSON.parse(await runToEnd(docker, `dtma-${run}-inside`, { ...body, HostConfig }, never))
}

/** `answer` of an HTTP request, or why there is none. */
const TRY = `
const net = require('node:net'), tls = require('node:tls')
const say = (value) => console.log(JSON.stringify(value))
const ask = (host, port, head) => new Promise((resolve) => {
  const socket = net.connect({ host, port }), bytes = []
  socket.setTimeout(4000, () => { resolve('silence'); socket.destroy() })
  socket.on('error', ({ code }) => resolve(code))
  socket.on('data', (chunk) => bytes.push(chunk)).on('close', () => resolve(Buffer.concat(bytes).toString() || 'closed'))
  socket.write(head)
})
const get = (host, port, name = host) => ask(host, port, 'GET / HTTP/1.1\\r\\nhost: ' + name + '\\r\\nconnection: close\\r\\n\\r\\n')
const sni = (host, port, servername = host) => new Promise((resolve) => {
  const socket = tls.connect({ host, port, servername, rejectUnauthorized: false, ciphers: 'aNULL:@SECLEVEL=0', maxVersion: 'TLSv1.2' })
  socket.on('error', ({ code }) => resolve(code)).on('data', (bytes) => resolve(bytes.toString())).on('close', () => resolve('closed'))
})
const through = (target, said = 'GET / HTTP/1.1\\r\\nhost: inner.test\\r\\nconnection: close\\r\\n\\r\\n') => ask('dtma-gateway', 3128, 'CONNECT ' + target + ' HTTP/1.1\\r\\nhost: ' + target + '\\r\\n\\r\\n' + said)
`

test('S12: a tool reaches the hosts and ports that it declares, by their names, and no other', async () => {
  const name = await network('listed', [
    { host: 'api.one.test', port: 80 },
    { host: 'api.two.test', port: 80 },
    { host: 'db.one.test', port: 5432 },
  ])
  const answers = await inside(
    name,
    `Promise.all([
      get('api.one.test', 80), get('api.two.test', 80), get('db.one.test', 5432),
      get('api.one.test', 80, 'evil.test'), get('api.two.test', 5432), get('api.one.test', 8080),
      get('evil.test', 80), get('${internet.address}', 80), through('evil.test:80'),
    ]).then(say)`,
  )
  expect(answers).toEqual([
    expect.stringContaining('api.one.test on 80'),
    expect.stringContaining('api.two.test on 80'),
    expect.stringContaining('db.one.test on 5432'),
    'closed',
    // The port belongs to one host alone: whatever is asked there goes to it.
    expect.stringContaining('api.two.test on 5432'),
    'ECONNREFUSED',
    expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
    expect.stringMatching(/EHOSTUNREACH|ENETUNREACH|silence/),
    expect.stringMatching(/closed|ECONNRESET/),
  ])
})

test('hosts that share a port are told apart by what TLS and HTTP say', async () => {
  const name = await network('tls', [
    { host: 'api.one.test', port: 443 },
    { host: 'api.two.test', port: 443 },
  ])
  const answers = await inside(
    name,
    `Promise.all([sni('api.one.test', 443), sni('api.two.test', 443), sni('api.one.test', 443, 'evil.test')]).then(say)`,
  )
  expect(answers).toEqual(['tls api.one.test', 'tls api.two.test', expect.stringMatching(/ECONNRESET|closed/)])
})

test('a tool that may reach any host does so by the proxy, and still nothing that is not outside', async () => {
  const machine = (await hostAddresses({ docker, owner, image, self: async () => undefined }, never)).filter(
    (address) => !address.startsWith('127.'),
  )
  const server = createServer((_, response) => response.end('the toolbox')).listen(0, '0.0.0.0')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const name = await network('any', 'any')
  const targets = [
    ...machine.map((address) => `${address}:${port}`),
    `127.0.0.1:${port}`,
    '169.254.169.254:80',
    '10.0.0.1:80',
    'rebound.test:80',
    '[::1]:80',
    'localhost:3128',
  ]
  const [allowed, direct, plain, fetched, ...refused] = (await inside(
    name,
    `Promise.all([
      through('evil.test:80'), get('evil.test', 80),
      ask('dtma-gateway', 3128, 'GET http://evil.test/ HTTP/1.1\\r\\nhost: evil.test\\r\\nconnection: close\\r\\n\\r\\n'),
      ask('dtma-gateway', 3128, 'GET http://169.254.169.254/ HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n'),
      ...${JSON.stringify(targets)}.map(through),
    ]).then(say)`,
  )) as string[]
  server.close()
  expect(allowed).toMatch(/^HTTP\/1.1 200 .*inner.test on 80/s)
  expect(direct).toMatch(/ENOTFOUND|EAI_AGAIN/)
  expect(plain).toContain('evil.test on 80')
  expect(fetched).toContain('403')
  expect(refused.map((answer) => answer.split('\r\n', 1)[0])).toEqual(targets.map(() => 'HTTP/1.1 403 Forbidden'))
})

test('S12: a tool that may reach any host speaks HTTP and HTTPS to it, and nothing else', async () => {
  const name = await network('web', 'any')
  const answers = (await inside(
    name,
    `Promise.all([
      through('evil.test:8080'), through('evil.test:22'), through('evil.test:25'),
      ask('dtma-gateway', 3128, 'GET http://evil.test:25/ HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n'),
      through('evil.test:5432', 'SSH-2.0-x\\r\\n'), through('evil.test:5432', 'EHLO me\\r\\nGET / HTTP/1.1\\r\\n\\r\\n'), through('evil.test:8080', ''),
    ]).then(say)`,
  )) as string[]
  const [web, ...refused] = answers
  expect(web).toMatch(/^HTTP\/1.1 200 .*inner.test on 8080/s)
  expect(refused.slice(0, 3).map((answer) => answer.split('\r\n', 1)[0])).toEqual(
    ['Forbidden', 'Forbidden', 'Forbidden'].map((word) => `HTTP/1.1 403 ${word}`),
  )
  // Connected, and then cut; who says nothing is not answered.
  const connected = 'HTTP/1.1 200 Connection established\r\n\r\n'
  expect(refused.slice(3)).toEqual([connected, connected, 'silence'])
})

test('a pool of connections through the gateway notices that a server has closed an idle one', async () => {
  const name = await network('idle', 'none')
  const script = `const s = require('node:http').createServer((q, r) => r.end('hello')).listen(3000); s.keepAliveTimeout = 200; s.keepAliveTimeoutBuffer = 0`
  const body = scriptContainer({ image: await image(never), owner, network: name, script })
  const id = await docker.createContainer(`dtma-${run}-idle`, body, never)
  const agent = new Agent({ keepAlive: true })
  try {
    await docker.startContainer(id, never)
    const address = (await docker.inspectContainer(id, never))!.NetworkSettings.Networks[name]!.IPAddress
    agent.createConnection = (_, done) => {
      egress.connect(address, 3000).then(
        (socket) => done?.(null, socket),
        (error: Error) => done?.(error, undefined as never),
      )
      return undefined
    }
    const ask = () =>
      new Promise<string>((resolve) => {
        const outgoing = request('http://tool/', { agent, timeout: 3_000 }, (response) => {
          response.setEncoding('utf8').on('data', resolve)
        })
        outgoing
          .on('error', ({ message }) => resolve(message))
          .on('timeout', () => resolve('silence'))
          .end()
      })
    await expect.poll(ask, { timeout: 10_000 }).toBe('hello')
    await Promise.all([ask(), ask(), ask()])
    await expect.poll(() => Object.values(agent.freeSockets).flat().length, { timeout: 5_000 }).toBe(0)
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['hello', 'hello', 'hello'])
  } finally {
    agent.destroy()
    await docker.removeContainer(id, never)
  }
})

test('DTMA reaches a server in a tool through the gateway, also after the gateway was killed', async () => {
  const name = await network('served', 'none')
  const script = `require('node:http').createServer((q, r) => r.end('hello')).listen(3000)`
  const body = scriptContainer({ image: await image(never), owner, network: name, script })
  const id = await docker.createContainer(`dtma-${run}-server`, body, never)
  try {
    await docker.startContainer(id, never)
    const address = (await docker.inspectContainer(id, never))!.NetworkSettings.Networks[name]!.IPAddress
    const answer = async (): Promise<string> => {
      const stream = await egress.connect(address, 3000)
      stream.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
      let text = ''
      for await (const chunk of stream) text += chunk
      return text
    }
    await expect.poll(() => answer().catch(String), { timeout: 10_000 }).toContain('hello')
    await docker.killContainer(gatewayNameOf(owner), never)
    await expect.poll(() => answer().catch(String), { timeout: 20_000 }).toContain('hello')
    expect(egress.routes.size).toBe(networks.length)
  } finally {
    await docker.removeContainer(id, never)
  }
})

test('of the machine the gateway sees the directory with the socket of DTMA alone, and can change nothing there', async () => {
  await network('seen', 'none')
  const { Mounts, HostConfig } = (await docker.inspectContainer(gatewayNameOf(owner), never))!
  expect(Mounts).toMatchObject([{ Type: 'bind', Destination: '/run/dtma', RW: false }])
  expect(Mounts[0]!.Source).toMatch(new RegExp(`^${stateDirectory}/gateway/line-\\w+$`))
  expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, Binds: expect.toSatisfy((binds) => !binds?.length) })
})
