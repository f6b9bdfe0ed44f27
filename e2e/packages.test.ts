import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  layerOf,
  openPythonIndex,
  openTestRegistry,
  PYTHON_SERVER,
  type PythonIndex,
  savedLayersOf,
  serverProgram,
  type TestRegistry,
} from '@agentopia/dtma/testing'
import { bridgeAddress } from '@agentopia/testbed/machines'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { docker } from './docker.ts'
import { type Product, startProduct, waitFor } from './product.ts'
import { activeToolbox } from './settled.ts'

// Tools of one's own, by the command line: an image that was pushed, one of a private registry, a Python package.

const CLI = fileURLToPath(new URL('../dist/agentopia.mjs', import.meta.url))
const BASE = 'node:24-slim'
const run = randomBytes(3).toString('hex')
const PASSWORD = `canary-${randomBytes(8).toString('hex')}`
let product: Product
let directory = ''
let registry: TestRegistry
let index: PythonIndex

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agentopia-packages-'))
  registry = await openTestRegistry()
  registry.manners.only = { username: 'robot', password: PASSWORD }
  index = await openPythonIndex(await bridgeAddress())
  product = await startProduct({ PYPI_INDEX: index.url })
  await agentopia(['login', '--url', product.url], `${product.token}\n`)
  await activeToolbox(product.client)
})
afterAll(async () => {
  for (const name of ['pushed', 'private', 'secretive', 'python']) await agentopia(['tool', 'remove', name, '--force'])
  await product?.[Symbol.asyncDispose]()
  await Promise.all([registry?.close(), index?.close(), rm(directory, { recursive: true })])
})

async function agentopia(args: readonly string[], input = '') {
  const env = { PATH: process.env['PATH'], AGENTOPIA_CONFIG: join(directory, 'cli.json') }
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code: code as number, stdout, stderr }
}

async function json(...args: string[]) {
  const { code, stdout, stderr } = await agentopia([...args, '--json'])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return stdout === '' ? undefined : JSON.parse(stdout)
}

/** Proves what it was given; the values themselves would be masked in an answer, also in other forms. */
const secretiveProgram = `import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
const given = () => process.env.API_KEY + ' ' + readFileSync('/tmp/secrets/token')
${serverProgram('told').replace("text: 'told'", "text: createHash('sha256').update(given()).digest('hex')")}`

/** Lets a new agent call the tool once. @returns The answer, as text. */
async function called(tool: string, capability: string): Promise<string> {
  const agent = `agent-${tool}`
  await json('agent', 'create', agent)
  await json('toolbelt', 'add', agent, tool, '--allow', capability)
  return JSON.stringify(await json('agent', 'call', agent, `${tool}__${capability}`, '--args', '{}'))
}

test('an image that nobody can pull is pushed as an archive, and runs on a toolbox', async () => {
  const image = `packages-${run}/server:1.0`
  await writeFile(join(directory, 'server.mjs'), serverProgram('pushed'))
  await writeFile(
    join(directory, 'Dockerfile'),
    `FROM ${BASE}\nCOPY server.mjs /\nENTRYPOINT ["node", "/server.mjs"]\n`,
  )
  await docker('build', '-q', '-t', image, directory)
  const archive = join(directory, 'server.tar')
  await docker('save', '-o', archive, image)
  await docker('rmi', image)

  const pushed = await json('image', 'push', archive)
  expect(pushed).toMatchObject({ image, state: 'ready' })
  expect(await json('image', 'push', archive)).toEqual(pushed) // it is here already
  expect(await json('catalog', 'add', 'pushed', '--archive', image)).toMatchObject({ own: true })
  const deployed = await json('tool', 'deploy', 'pushed')
  expect(deployed).toMatchObject({ state: 'running', image: `agentopia-archive:${pushed.digest.slice(7)}` })
  expect(await called('pushed', 'version')).toContain('pushed')
  expect((await agentopia(['image', 'remove', image])).stderr).toContain('A tool is made of')
})

test('an image of a private registry is pulled once there is a credential, and pinned by its digest', async () => {
  const repository = `team/${run}`
  const layers = [...(await savedLayersOf(BASE)), await layerOf({ 'server.mjs': serverProgram('private') })]
  const env = ['PATH=/usr/local/bin:/usr/bin:/bin']
  const digest = registry.put(repository, '1', { config: { Entrypoint: ['node', '/server.mjs'], Env: env }, layers })
  await json('catalog', 'add', 'private', '--oci', `${registry.host}/${repository}:1`)
  await json('tool', 'deploy', 'private', '--no-wait')
  await waitFor('the registry did not refuse', 60_000, async () =>
    (await json('tool', 'show', 'private')).reason === 'image_auth' ? true : undefined,
  )

  const stored = await agentopia(['registry', 'set', registry.host, '--username', 'robot'], `${PASSWORD}\n`)
  expect(stored).toMatchObject({ code: 0, stdout: expect.not.stringContaining(PASSWORD) })
  await json('tool', 'restart', 'private')
  const running = await waitFor('it does not run', 120_000, async () => {
    const one = await json('tool', 'show', 'private')
    return one.state === 'running' ? one : undefined
  })
  expect(running.image).toBe(`${registry.host}/${repository}@${digest}`)
  expect(await called('private', 'version')).toContain('private')
  expect(product.output()).not.toContain(PASSWORD)
  expect(JSON.stringify(await json('activity'))).not.toContain(PASSWORD)
})

test('an image takes the secrets of each agent, as a variable and as a file, and they are nowhere else', async () => {
  const repository = `team/secretive-${run}`
  const layers = [...(await savedLayersOf(BASE)), await layerOf({ 'server.mjs': secretiveProgram })]
  const env = ['PATH=/usr/local/bin:/usr/bin:/bin']
  registry.put(repository, '1', { config: { Entrypoint: ['node'], Cmd: ['/server.mjs'], Env: env }, layers })
  const [key, token] = [1, 2].map((n) => `canary-${n}-${randomBytes(8).toString('hex')}`) as [string, string]
  const tool = {
    title: 'Secretive',
    spec: {
      package: { type: 'oci', image: `${registry.host}/${repository}:1` },
      transport: { type: 'stdio' },
    },
    secrets: [
      { key: 'apiKey', title: 'Key', required: true, target: { env: 'API_KEY' } },
      { key: 'token', title: 'Token', required: true, target: { file: '/tmp/secrets/token' } },
    ],
  }
  await agentopia(['registry', 'set', registry.host, '--username', 'robot'], `${PASSWORD}\n`)
  await writeFile(join(directory, 'secretive.json'), JSON.stringify(tool))
  await json('catalog', 'add', 'secretive', '--file', join(directory, 'secretive.json'))
  const deployed = await json('tool', 'deploy', 'secretive')
  expect(deployed).toMatchObject({ state: 'created', reason: 'missing_credential' })

  await json('agent', 'create', 'keeper')
  await json('toolbelt', 'add', 'keeper', 'secretive')
  for (const [name, value] of [
    ['apiKey', key],
    ['token', token],
  ] as const)
    expect(await agentopia(['credential', 'set', 'keeper', 'secretive', '--key', name], `${value}\n`)).toMatchObject({
      code: 0,
    })
  await waitFor('the server does not start with its secrets', 60_000, async () =>
    (await json('credential', 'list', 'keeper')).find((one: { state: string }) => one.state === 'valid'),
  )
  await json('toolbelt', 'allow', 'keeper', 'secretive', 'version')
  const answer = JSON.stringify(await json('agent', 'call', 'keeper', 'secretive__version', '--args', '{}'))
  expect(answer).toContain(createHash('sha256').update(`${key} ${token}`).digest('hex'))

  const ids = (await docker('ps', '-aq')).split('\n').filter(Boolean)
  const inspected = (await Promise.all(ids.map((id) => docker('inspect', id).catch(() => '')))).join('\n') // some just went
  expect(inspected).toContain(deployed.id)
  for (const value of [key, token]) {
    expect(inspected).not.toContain(value)
    expect(product.output()).not.toContain(value)
  }
})

test('a Python package is built on the toolbox, and runs there', async () => {
  const name = `greeter-${run}`
  index.put({ name, version: '1.0', scripts: { greeter: 'greeter:main' }, files: { 'greeter.py': PYTHON_SERVER } })
  await json('catalog', 'add', 'python', '--pypi', `${name}==1.0`)
  expect(await json('tool', 'deploy', 'python')).toMatchObject({ state: 'running' })
  expect(await called('python', 'greet')).toContain('hello from uid 65532, read-only')
})
