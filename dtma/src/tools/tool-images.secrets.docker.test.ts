import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { TOOL_USER } from './create-body.ts'
import { OCI_SECRETS_DIRECTORY, OCI_SECRETS_ENTRYPOINT } from './oci-secrets.script.ts'
import { layerOf, openTestRegistry, type TestRegistry } from './registry.testing.ts'
import { runnerBaseOf } from './runner-base.ts'
import { plainImages } from './tool-images.testing.ts'

const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const runner = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const images = plainImages(docker, { runnerBase: runnerBaseOf(docker, async () => [runner]) })
const repository = `test/${randomBytes(4).toString('hex')}`
const made: string[] = []
let registry: TestRegistry
let image = ''

beforeAll(async () => {
  registry = await openTestRegistry()
  const server =
    'console.log(JSON.stringify([process.env.API_KEY, process.argv[2]])); process.stdin.pipe(process.stdout)'
  // Nothing else is in it: no shell, no libc.
  const layers = [await layerOf({ 'server.mjs': server })]
  const digest = registry.put(repository, '1', { config: { Entrypoint: ['/first'], Cmd: ['second'] }, layers })
  image = `${registry.host}/${repository}@${digest}`
})
afterAll(async () => {
  for (const reference of made.reverse()) await images.remove(reference, never)
  await registry.close()
})

/** Runs as a tool does: another user, read-only, no network. */
async function run(id: string, input: string, command: readonly string[]): Promise<string> {
  const [first, ...rest] = [...OCI_SECRETS_ENTRYPOINT, ...command]
  const confined = ['--user', TOOL_USER, '--read-only', '--tmpfs', '/tmp', '--network', 'none', '--cap-drop', 'ALL']
  const child = spawn('docker', ['run', '--rm', '-i', ...confined, '--entrypoint', first!, id, ...rest])
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk
    })
  child.stdin.end(input)
  await once(child, 'close')
  return output
}

test('an image without a shell and without a libc takes secrets, and keeps what it says of itself', async () => {
  const secrets = [{ name: 'key', env: 'API_KEY' }]
  const tool = {
    spec: ToolSpec.parse({ package: { type: 'oci', image }, transport: { type: 'stdio' }, secrets }),
  }
  made.push(await images.make(tool, () => undefined, never))
  expect(made).toEqual([image])
  expect(await images.find(tool, never)).toBeUndefined() // pulled, and does not take them yet
  made.push(await images.make(tool, () => undefined, never))
  const { reference, details } = (await images.find(tool, never))!
  expect(made[1]).toBe(reference)
  expect(details.Config).toMatchObject({ Entrypoint: ['/first'], Cmd: ['second'] })

  const node = ['loader', '--library-path', 'lib', 'node'].map((part) =>
    part.startsWith('--') ? part : `${OCI_SECRETS_DIRECTORY}/${part}`,
  )
  const line = `${JSON.stringify({ dtmaSecrets: { env: { API_KEY: 'canary' }, files: {} } })}\n`
  const output = await run(details.Id, `${line}what follows`, [...node, '/server.mjs', 'argument'])
  expect(output).toBe('["canary","argument"]\nwhat follows')
  expect(await run(details.Id, line, ['no-such-command'])).toContain('secrets: the command of the image is not in it')
})
