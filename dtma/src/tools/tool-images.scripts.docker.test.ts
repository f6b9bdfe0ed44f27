import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { dockerBridgeAddress } from './docker-bridge.testing.ts'
import { type NpmRegistry, openNpmRegistry } from './npm-registry.testing.ts'
import { runnerBaseOf } from './runner-base.ts'
import { plainImages } from './tool-images.testing.ts'

// A dependency of a tool's package brings a canary: a script that is to run when it is installed, and tells of it.

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const run = randomBytes(3).toString('hex')
const TOOL = `tool-${run}`
let registry: NpmRegistry
let images: ReturnType<typeof plainImages>
let built: string | undefined

beforeAll(async () => {
  registry = await openNpmRegistry(await dockerBridgeAddress(docker))
  images = plainImages(docker, {
    runnerBase: runnerBaseOf(docker, async () => [BASE]),
    owner: run,
    indexes: { npm: registry.url, pypi: undefined },
  })
  const sing = (when: string) => `node -e "fetch('${registry.url}/canary-${when}')"`
  const scripts = Object.fromEntries(['preinstall', 'install', 'postinstall'].map((when) => [when, sing(when)]))
  await registry.put({ name: `planted-${run}`, version: '1.0.0', manifest: { scripts } })
  await registry.put({
    name: TOOL,
    version: '1.0.0',
    manifest: { bin: 'run.js', dependencies: { [`planted-${run}`]: '1.0.0' } },
    files: { 'run.js': '#!/usr/bin/env node\n' },
  })
})
beforeEach(() => void registry.asked.splice(0))
afterAll(async () => {
  if (built) await images.remove(built, never)
  await registry?.close()
})

const sang = () => registry.asked.filter((path) => path.includes('canary'))
/** In a container of the image that tools are built on. */
const inBase = (command: string) =>
  promisify(execFile)('docker', ['run', '--rm', '--entrypoint', 'sh', BASE, '-c', `cd /tmp && ${command}`])
const registryOption = () => `--registry=${registry.url} --no-audit --no-fund --no-update-notifier`

test('the canary sings wherever scripts may run: so its silence says something', async () => {
  await inBase(`npm install ${registryOption()} ${TOOL}@1.0.0`)
  expect(sang()).toContain('/canary-postinstall')
})

test('U06 a dependency with a script for its installation: it never runs while a tool is built', async () => {
  const spec = ToolSpec.parse({
    package: { type: 'npm', name: TOOL, version: '1.0.0' },
    transport: { type: 'stdio' },
  })
  built = await images.make({ spec }, () => undefined, never)
  expect(registry.asked).toContain(`/planted-${run}/-/planted-${run}-1.0.0.tgz`)
  expect(sang()).toEqual([])
})

test('U06 nor where DTMA is built from its lock file, as an installation from git does it', async () => {
  const planted = `planted-${run}`
  const dependencies = { [planted]: '1.0.0' }
  const entry = {
    version: '1.0.0',
    resolved: `${registry.url}/${planted}/-/${planted}-1.0.0.tgz`,
    integrity: registry.integrityOf(planted),
    hasInstallScript: true,
  }
  const project = { name: 'p', version: '1.0.0', dependencies }
  const lock = { ...project, lockfileVersion: 3, packages: { '': project, [`node_modules/${planted}`]: entry } }
  const write = `echo '${JSON.stringify(project)}' >package.json; echo '${JSON.stringify(lock)}' >package-lock.json`
  await inBase(`${write}; npm ci --ignore-scripts ${registryOption()} && test -d node_modules/${planted}`)
  expect(sang()).toEqual([])
  await inBase(`${write}; npm ci ${registryOption()}`)
  expect(sang()).toContain('/canary-postinstall')
})
