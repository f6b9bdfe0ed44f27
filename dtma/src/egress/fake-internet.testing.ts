import type { DockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { scriptContainer } from './script-container.ts'

/** A container that is the outside: with a public address, a name server, and every host of which it knows the name. */
export interface FakeInternet {
  readonly address: string
  /** Puts a container of this name on the network, once. */
  reachableBy(container: string): Promise<void>
  close(): Promise<void>
}

const SOCKET = '/var/run/docker.sock'
const never = new AbortController().signal

/** @param run Keeps tests apart that run at the same time. */
export async function fakeInternet(docker: DockerApi, image: string, run: string): Promise<FakeInternet> {
  const name = `dtma-internet-${run}`
  const IPAM = { Config: [{ Subnet: `44.${Number.parseInt(run.slice(0, 2), 16)}.7.0/24` }] }
  const call = { what: 'create', method: 'POST', path: '/networks/create', deadlineMs: 30_000 } as const
  await createEngineHttp(SOCKET).json({ ...call, body: { Name: name, Internal: true, IPAM } }, never)
  const body = scriptContainer({ image, owner: run, network: name, script: SCRIPT })
  const id = await docker.createContainer(name, body, never)
  await docker.startContainer(id, never)
  const address = (await docker.inspectContainer(id, never))!.NetworkSettings.Networks[name]!.IPAddress
  return {
    address,
    async reachableBy(container) {
      const { Id } = (await docker.inspectContainer(container, never))!
      if ((await docker.inspectNetwork(name, never))!.Containers[Id]) return
      await docker.connectNetwork(name, Id, [], never)
    },
    async close() {
      for (const left of Object.keys((await docker.inspectNetwork(name, never))!.Containers))
        await docker.disconnectNetwork(name, left, never)
      await docker.removeContainer(id, never)
      await docker.removeNetwork(name, never)
    },
  }
}

/** `rebound.test` is a name of the outside that leads to an address of the inside. */
const SCRIPT = `
const dgram = require('node:dgram'), http = require('node:http'), tls = require('node:tls'), os = require('node:os')
const mine = () => Object.values(os.networkInterfaces()).flat().find((i) => i.address.startsWith('44.')).address
const udp = dgram.createSocket('udp4')
udp.on('message', (query, from) => {
  let at = 12, labels = []
  while (query[at]) { labels.push(query.toString('latin1', at + 1, at + 1 + query[at])); at += query[at] + 1 }
  const question = query.subarray(12, at + 5)
  const ip = labels[0] === 'rebound' ? '10.0.0.1' : mine()
  const head = Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])])
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ip.split('.').map(Number)])
  udp.send(Buffer.concat([head, question, answer]), from.port, from.address)
}).bind(53)
for (const port of [80, 5432, 8080])
  http.createServer((q, r) => r.end(q.headers.host + ' on ' + port)).listen(port)
const key = { ciphers: 'aNULL:@SECLEVEL=0', maxVersion: 'TLSv1.2' }
tls.createServer({ ...key }, (socket) => socket.end('tls ' + socket.servername)).listen(443)
`
