import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { createDockerApi } from './docker.api.ts'
import { createEngineHttp, pathOf } from './engine.http.ts'
import type { EngineError } from './engine-error.ts'

const never = new AbortController().signal
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A Docker of our own making on a socket of its own. */
async function fakeEngine(answer: RequestListener): Promise<{ socketPath: string; server: Server }> {
  const directory = await mkdtemp(join(tmpdir(), 'dtma-engine-'))
  const socketPath = join(directory, 'docker.sock')
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  cleanups.push(() => rm(directory, { recursive: true }))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { socketPath, server }
}

const faultOf = async (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'none',
    (error: unknown) => (error as EngineError).fault,
  )

const get = (path: `/${string}`, deadlineMs = 1_000) => ({ what: 'try', method: 'GET', path, deadlineMs }) as const

test('a value never adds a segment, a query or a climb to a path', () => {
  const names = fc.string().filter((value) => !['', '.', '..'].includes(value))
  fc.assert(
    fc.property(names, (value) => {
      const path = pathOf`/a/${value}/b`
      expect(new URL(path, 'http://x').pathname).toBe(path)
      expect(path.split('/').map(decodeURIComponent)).toEqual(['', 'a', value, 'b'])
    }),
  )
})

test.each(['', '.', '..'])('the name "%s", which would change the path, is refused', (value) => {
  expect(() => pathOf`/a/${value}/b`).toThrow('no name')
})

test('no socket means down, within milliseconds', async () => {
  const http = createEngineHttp('/nowhere/docker.sock')
  expect(await faultOf(http.json(get('/_ping'), never))).toBe('down')
})

test('an engine that accepts and never answers means hung', async () => {
  const { socketPath } = await fakeEngine(() => undefined)
  const http = createEngineHttp(socketPath)
  expect(await faultOf(http.json(get('/_ping', 60), never))).toBe('hung')
  expect(await faultOf(http.stream(get('/events', 60), never))).toBe('hung')
})

test('an answer that stops half-way means hung, too', async () => {
  const { socketPath } = await fakeEngine((_, response) => void response.writeHead(200).write('{"half":'))
  expect(await faultOf(createEngineHttp(socketPath).json(get('/info', 60), never))).toBe('hung')
})

test('a caller that gives up gets its own reason back', async () => {
  const { socketPath } = await fakeEngine(() => undefined)
  const giveUp = new AbortController()
  const answer = createEngineHttp(socketPath).json(get('/info'), giveUp.signal)
  giveUp.abort(new Error('enough'))
  await expect(answer).rejects.toThrow('enough')
})

test('an idle connection that the engine closed is replaced without notice', async () => {
  let served = 0
  const { socketPath, server } = await fakeEngine((_, response) => {
    served++
    response.setHeader('content-type', 'application/json').end('{"ok":true}')
  })
  const http = createEngineHttp(socketPath)
  await http.json(get('/info'), never)
  server.closeAllConnections()
  expect(await http.json(get('/info'), never)).toEqual({ ok: true })
  expect(served).toBe(2)
})

test('the version is negotiated once, and again after the engine was down', async () => {
  const asked: string[] = []
  let engine = { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12' }
  const { socketPath } = await fakeEngine((request, response) => {
    asked.push(request.url!)
    response.setHeader('content-type', 'application/json')
    if (request.url === '/boom') request.socket.destroy()
    else response.end(request.url === '/version' ? JSON.stringify(engine) : '[]')
  })
  const docker = createDockerApi(createEngineHttp(socketPath))
  await docker.listContainers('a', never)
  await docker.listContainers('b=c', never)
  engine = { Version: '29.0.0', ApiVersion: '1.52', MinAPIVersion: '1.44' }
  expect(asked.filter((url) => url === '/version')).toHaveLength(1)
  expect(asked.at(-1)).toBe(`/v1.41/containers/json?all=true&filters=${encodeURIComponent('{"label":["b=c"]}')}`)
})

test('an engine that is too old is refused with the version that is needed', async () => {
  const { socketPath } = await fakeEngine((_, response) => void response.end('{"Version":"19.03","ApiVersion":"1.40"}'))
  await expect(createDockerApi(createEngineHttp(socketPath)).info(never)).rejects.toThrow('20.10 or later')
})

test('an answer of another shape is a failure of the call, not of the process', async () => {
  const { socketPath } = await fakeEngine((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(request.url === '/version' ? '{"Version":"1","ApiVersion":"1.41"}' : '{"NCPU":"many"}')
  })
  const docker = createDockerApi(createEngineHttp(socketPath))
  expect(await faultOf(docker.info(never))).toBe('failed')
})
