import { randomBytes } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import type { Progress } from './pull-progress.ts'
import { runnerBaseOf } from './runner-base.ts'
import type { ToolFailure } from './tool-failure.ts'
import { plainImages } from './tool-images.testing.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const EVERYTHING = { type: 'npm', name: '@modelcontextprotocol/server-everything', version: '2026.8.31' }
const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const images = plainImages(docker, {
  runnerBase: runnerBaseOf(docker, async () => ['no-such-image:latest', BASE]),
  owner: randomBytes(4).toString('hex'),
})
const built = new Set<string>()
afterAll(async () => {
  for (const tag of built) await images.remove(tag, never)
})

const specOf = (pkg: object) => ToolSpec.parse({ package: pkg, transport: { type: 'stdio' } })
const failureOf = (work: Promise<unknown>): Promise<ToolFailure> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: ToolFailure) => error,
  )

test('an npm package becomes an image once, however many ask for it, and is found from then on', async () => {
  const spec = specOf(EVERYTHING)
  const heard: Progress[] = []
  const tags = await Promise.all([
    images.make({ spec }, (progress) => heard.push(progress), never),
    images.make({ spec }, () => undefined, never),
  ])
  built.add(tags[0])
  expect(tags[0]).toBe(tags[1])
  expect(heard.map(({ step }) => step)).toContain('Installing the package')

  const found = await images.find({ spec }, never)
  expect(found!.reference).toBe(tags[0])
  expect(found!.details.Config).toMatchObject({ Entrypoint: ['node', '/tool/entry'], Cmd: [], WorkingDir: '/tool' })
})

test('a package or version that does not exist is named as such', async () => {
  const failure = await failureOf(
    images.make({ spec: specOf({ ...EVERYTHING, version: '0.0.999' }) }, () => undefined, never),
  )
  expect(failure).toMatchObject({ reason: 'package_not_found', lasting: true })
})

test('a package without a command fails with the reason', async () => {
  const failure = await failureOf(
    images.make({ spec: specOf({ type: 'npm', name: 'isexe', version: '3.1.1' }) }, () => undefined, never),
  )
  expect(failure).toMatchObject({ reason: 'build_failed' })
  expect(failure.message).toContain('has no command')
})

test('D12: an image that no registry serves ends in a classified failure', async () => {
  const image = `127.0.0.1:9/nothing@sha256:${'0'.repeat(64)}`
  const failure = await failureOf(images.make({ spec: specOf({ type: 'oci', image }) }, () => undefined, never))
  expect(failure).toMatchObject({ reason: 'registry_unreachable' })
  expect(failure.message).not.toContain('sha256')
})

test('whoever gives up a build is free at once', async () => {
  const stop = new AbortController()
  const spec = specOf({ ...EVERYTHING, bin: 'mcp-server-everything' })
  const work = images.make(
    { spec },
    ({ step }) => step === 'Installing the package' && stop.abort(new Error('enough')),
    stop.signal,
  )
  await expect(work).rejects.toThrow('enough')
  expect(await images.find({ spec }, never)).toBeUndefined()
})
