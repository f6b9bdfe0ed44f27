import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, assert, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { createMcpBridge } from '../mcp/tool-sessions.ts'
import { memoryLog } from '../uplink/control-plane.testing.ts'
import { createJournal } from './journal.ts'
import type { AcceptedTool } from './spec-file.ts'
import { startToolReconciler } from './tool.reconciler.ts'
import { createToolContainers } from './tool-containers.ts'
import { plainImages } from './tool-images.testing.ts'
import { createToolParts } from './tool-parts.ts'
import { createToolSecrets } from './tool-secrets.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const OWNER = 'o'
const IMAGE = `registry.example/x@sha256:${'b'.repeat(64)}`
/** Of a container of the generation before: whoever sees it stops it, for another one is wanted. */
const labelsOf = (claim: string) => ({
  'dtma.owner': OWNER,
  'dtma.claim': claim,
  'dtma.generation': '1',
  'dtma.spec': '',
})
const tool = (name: string, more: Partial<AcceptedTool>): AcceptedTool => ({
  name,
  generation: 2,
  desired: 'running',
  spec: ToolSpec.parse({ package: { type: 'oci', image: IMAGE }, transport: { type: 'stdio' } }),
  claim: `claim-${name}`,
  restarts: 0,
  images: [IMAGE],
  ...more,
})
/** One whose container is known by its id, and one that is looked for in the list. */
const TOOLS = [tool('noted', { containerId: 'noted' }), tool('listed', {})]

const json = (response: ServerResponse, body: unknown, status = 200) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

/** How Docker answers who asks what is there. */
const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'with a failure': (response) => json(response, { message: 'server error' }, 500),
  'with the beginning of an answer': (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
    response.write('[{"Id":"list', () => response.destroy())
  },
  'with an answer that was cut and called whole': (response) => void response.writeHead(200).end('[{"Id":"list'),
  'with something else than was asked for': (response) => json(response, 'what?'),
  'with nothing at all': () => undefined,
}

/** DTMA with an engine that answers so. @param broken Absent: as it should. */
async function dtma(broken?: (response: ServerResponse) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'dtma-partial-'))
  const socketPath = join(directory, 'docker.sock')
  const changes: string[] = []
  const asked = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = request.url!.replace(/^\/v[\d.]+|\?.*$/g, '')
    if (request.method !== 'GET') {
      changes.push(`${request.method} ${path}`)
      return void response.writeHead(204).end()
    }
    if (path === '/version') return json(response, { Version: '20.10.24', ApiVersion: '1.41' })
    if (path === '/info') return json(response, { NCPU: 2, MemTotal: 1 })
    if (path === '/events') return void response.writeHead(200).flushHeaders()
    asked.set(path, (asked.get(path) ?? 0) + 1)
    if (broken) return broken(response)
    if (path === '/containers/json')
      return json(response, [{ Id: 'listed', Names: ['/listed'], State: 'running', Labels: labelsOf('claim-listed') }])
    const [, id] = /^\/containers\/(\w+)\/json$/.exec(path) ?? []
    if (id === undefined) return json(response, { Id: 'sha256:a', Config: {} })
    json(response, {
      Id: id,
      Name: `/${id}`,
      Image: 'sha256:a',
      State: { Status: 'running', Running: true },
      Config: { Labels: labelsOf(`claim-${id}`) },
      HostConfig: {},
      NetworkSettings: {},
    })
  }).listen(socketPath)
  await once(server, 'listening')
  const stop = new AbortController()
  const docker = createDockerApi(createEngineHttp(socketPath))
  const fail = (): never => assert.fail('no tool has a network')
  const parts = createToolParts({
    docker,
    owner: OWNER,
    egress: { join: fail, leave: fail, connect: fail },
    isolation: () => ({ state: 'ok', leaks: [] }),
    firewall: { require: async () => undefined, wake: () => undefined },
  })
  const tools = startToolReconciler({
    docker,
    files: { owner: OWNER, save: async () => undefined, remove: async () => undefined },
    parts,
    images: plainImages(docker, { owner: OWNER, runnerBase: async () => 'sha256:a' }),
    containers: createToolContainers({ docker, parts, owner: OWNER }),
    sessions: createMcpBridge({ version: '0', random: Math.random }),
    secrets: createToolSecrets(() => undefined),
    log: memoryLog(),
    journal: createJournal('r', () => new Date()),
    now: () => performance.now(),
    date: () => new Date(),
    signal: stop.signal,
    tools: TOOLS,
  })
  cleanups.push(async () => {
    stop.abort()
    await tools.stopped()
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  })
  return { tools, changes, asked }
}

test('C11 a container that should be another one is stopped where Docker says all that there is', async () => {
  const { changes } = await dtma()
  await expect
    .poll(() => new Set(changes))
    .toEqual(new Set(['POST /containers/noted/stop', 'POST /containers/listed/stop']))
})

test.each(Object.entries(ANSWERS))(
  'C11 nothing is decided on, and nothing removed, while Docker answers %s',
  async (_, answer) => {
    const { tools, changes, asked } = await dtma(answer)
    // Each was looked at, and looked at again.
    await expect
      .poll(() => [asked.get('/containers/noted/json'), asked.get('/containers/json')].map((count = 0) => count >= 2), {
        timeout: 30_000,
      })
      .toEqual([true, true])
    expect(tools.list().map(({ status }) => status.state)).toEqual(['unknown', 'unknown'])
    expect(changes).toEqual([])
  },
)
