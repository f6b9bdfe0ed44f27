import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { createDocker } from './docker.ts'

const folder = mkdtempSync(join(tmpdir(), 'agentopia-docker-'))
const socketPath = join(folder, 'docker.sock')
let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
  server = undefined
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const engine = async (answer: RequestListener) => {
  server = createServer(answer)
  await new Promise<void>((resolve) => server!.listen(socketPath, resolve))
  return createDocker(socketPath)
}
const signal = new AbortController().signal

test('no socket is a Docker that does not run, with the place that was looked at', async () => {
  await expect(createDocker('/nowhere/docker.sock').imageId('x', signal)).rejects.toThrow(
    'Docker does not run on this machine (nothing answers at /nowhere/docker.sock)',
  )
})

test('a refusal carries the words of Docker', async () => {
  const docker = await engine((_, response) => response.writeHead(409).end('{"message":"name in use"}'))
  await expect(docker.create('c', {}, signal)).rejects.toThrow('Docker refused: name in use (HTTP 409)')
})

test('what is not there is an answer, and what is done already is done', async () => {
  const docker = await engine((request, response) =>
    response.writeHead(request.url!.endsWith('/start') ? 304 : 404).end('{"message":"No such container"}'),
  )
  expect(await docker.inspect('c', signal)).toBeUndefined()
  expect(await docker.imageId('registry:5000/a/b:1', signal)).toBeUndefined()
  await docker.stop('c', 1, signal)
  await docker.remove('c', signal)
  await docker.start('c', signal)
})

test('a name is one segment of the path, whatever is in it', async () => {
  const urls: string[] = []
  const docker = await engine((request, response) => {
    urls.push(request.url!)
    response.writeHead(404).end('{}')
  })
  await docker.inspect('a/../b?c', signal)
  expect(urls).toEqual(['/containers/a%2F..%2Fb%3Fc/json'])
})

test('an answer that is no Docker answer is named, not crashed on', async () => {
  const docker = await engine((_, response) => response.writeHead(200).end('<html>'))
  await expect(docker.inspect('c', signal)).rejects.toThrow('does not speak its API')
})

test('a caller that gives up is heard', async () => {
  const docker = await engine(() => {})
  await expect(docker.inspect('c', AbortSignal.timeout(50))).rejects.toThrow('timeout')
})

test('a Docker that accepts and never answers ends at the deadline', async () => {
  await engine(() => {})
  await expect(createDocker(socketPath, 60).inspect('c', signal)).rejects.toThrow('did not answer within 60 ms')
})
