import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createJoinLine,
  createToolbox,
  getInstance,
  getToolbox,
  listActivity,
  listInstances,
  removeToolbox,
} from '@agentopia/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runAgentopia } from './command-line.ts'
import { containersOf, docker } from './docker.ts'
import { BROKEN, type OwnImage, ownImage } from './given-out.ts'
import { freePort, type Product, startProduct, waitFor } from './product.ts'
import { deploy } from './settled.ts'

// A toolbox with a DTMA that is older than what the control plane gives out; the command line updates it.

const OLD_IMAGE = process.env['DTMA_IMAGE'] ?? 'agentopia-dtma:latest'
const NEWER = '99.0.0'
const CONTAINER = 'agentopia-e2e-update'
/** Docker starts it anew, and it may end once more before it is looked at. */
const OFTEN = /ended ([3-9]|\d\d) times/

let product: Product
let image: OwnImage
let toolboxId: string

beforeAll(async () => {
  image = await ownImage('agentopia-e2e-dtma:newer')
  product = await startProduct({ LOCAL_TOOLBOX: 'off', DTMA_IMAGE: image.name })
  const { client } = product
  toolboxId = (await client.call(createToolbox, { body: { provider: 'join', name: 'server' } })).id
  const { line } = await client.call(createJoinLine, { params: { toolboxId } })
  const state = join(product.dataDir, 'server')
  await mkdir(state)
  await writeFile(join(state, 'token'), /'(enrol_[^']+)'/.exec(line)![1]!)
  await docker('rm', '--force', CONTAINER, `${CONTAINER}-next`)
  const env = {
    AGENTOPIA_API_BASE_URL: product.url.replace('localhost', '127.0.0.1'),
    TOOLBOX_ID: toolboxId,
    ENROLMENT_TOKEN_FILE: '/var/lib/dtma/token',
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
  }
  await docker(
    ...['run', '--detach', '--name', CONTAINER, '--network', 'host', '--user', '0:0', '--restart', 'always', '--init'],
    ...['--volume', '/var/run/docker.sock:/var/run/docker.sock', '--volume', `${state}:/var/lib/dtma`],
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    OLD_IMAGE,
  )
  await waitFor('the toolbox is not active', 60_000, async () =>
    (await toolbox()).status === 'active' ? true : undefined,
  )
})
afterAll(async () => {
  if (toolboxId) await product.client.call(removeToolbox, { params: { toolboxId }, query: {} })
  await docker('rm', '--force', CONTAINER, `${CONTAINER}-next`)
  await removeBelongings()
  await product?.[Symbol.asyncDispose]()
  await image?.[Symbol.asyncDispose]()
})

/** What DTMA has made on this machine's Docker, as the install script takes it away. */
async function removeBelongings(): Promise<void> {
  const owner = (
    await docker(
      'run',
      '--rm',
      '--user',
      '0:0',
      '--volume',
      `${join(product.dataDir, 'server')}:/state`,
      '--entrypoint',
      'cat',
      OLD_IMAGE,
      '/state/owner',
    )
  ).trim()
  const label = `label=dtma.owner=${owner}`
  for (const id of lines(await docker('ps', '--all', '--quiet', '--filter', label)))
    await docker('rm', '--force', '--volumes', id)
  for (const id of lines(await docker('network', 'ls', '--quiet', '--filter', label))) await docker('network', 'rm', id)
  await rm(join(product.dataDir, 'server'), { recursive: true })
}

const lines = (text: string): string[] => text.split('\n').filter(Boolean)
const toolbox = () => product.client.call(getToolbox, { params: { toolboxId } })

const dtmaContainer = () => docker('inspect', '--format', '{{.Id}}', CONTAINER)
/** Of the tools of this DTMA, by their ids and since when they run. */
async function toolContainers(): Promise<string> {
  const { items } = await product.client.call(listInstances, { params: { toolboxId }, query: {} })
  const ids = (await Promise.all(items.map(({ id }) => containersOf(id)))).flat()
  return docker('inspect', '--format', '{{.Id}} {{.State.StartedAt}}', ...ids)
}

const agentopia = (...args: readonly string[]) => runAgentopia(product, args)

test('an update by the command line: each phase is told, the tool runs on, and the page has a newer version no more', async () => {
  const instance = await deploy(product.client, toolboxId, 'everything', 'echo')
  const before = await containersOf(instance.id)
  await image.giveOut(NEWER)
  expect(await agentopia('toolbox', 'update', 'server')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('done'),
  })
  expect(await toolbox()).toMatchObject({
    status: 'active',
    dtmaVersion: NEWER,
    release: { standing: 'current' },
    update: { version: NEWER, phase: 'done' },
  })
  expect(await containersOf(instance.id)).toEqual(before)
  await waitFor('the tool is not seen running', 60_000, async () => {
    const params = { toolboxId, instanceId: instance.id }
    return (await product.client.call(getInstance, { params })).state === 'running' ? true : undefined
  })
  expect(lines(await docker('ps', '--all', '--format', '{{.Names}}')).filter((one) => one.includes(CONTAINER))).toEqual(
    [CONTAINER],
  )
  expect(await agentopia('toolbox', 'update', '--all')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('newest'),
  })
})

test('the version that runs is deployed anew: another container, the same identity, and the tool runs on', async () => {
  const tools = await toolContainers()
  const old = await dtmaContainer()
  const { code, stdout, stderr } = await agentopia('toolbox', 'redeploy', 'server')
  expect([code, stdout], stderr).toEqual([0, expect.stringContaining(`DTMA ${NEWER} anew: done`)])
  expect(await dtmaContainer()).not.toBe(old)
  expect(await toolContainers()).toBe(tools)
  expect(await toolbox()).toMatchObject({
    status: 'active',
    dtmaVersion: NEWER,
    update: { version: NEWER, from: NEWER, phase: 'done' },
  })
  const { items } = await product.client.call(listActivity, { query: { toolboxId } })
  const asked = items.filter(({ action }) => action === 'toolbox.redeploy')
  expect(asked).toMatchObject([{ message: `Asked to deploy DTMA ${NEWER} of server anew` }])
  expect(items.filter(({ action }) => action === 'toolbox.enrolled')).toHaveLength(1)
})

test('U04 a damaged build of the version that runs falls back to the one that works', async () => {
  await image.giveOut(NEWER, BROKEN)
  const { code, stderr } = await agentopia('toolbox', 'redeploy', 'server')
  expect([code, stderr]).toEqual([1, expect.stringMatching(OFTEN)])
  expect(await toolbox()).toMatchObject({
    status: 'active',
    dtmaVersion: NEWER,
    update: { version: NEWER, from: NEWER, phase: 'fell_back', reason: 'crash_loop' },
  })
  expect(lines(await docker('ps', '--all', '--format', '{{.Names}}')).filter((one) => one.includes(CONTAINER))).toEqual(
    [CONTAINER],
  )
})

test('an update that falls back is told with its reason, and the version before runs on', async () => {
  await image.giveOut('99.1.0', BROKEN)
  const { code, stderr } = await agentopia('toolbox', 'update', 'server', '--json')
  expect(code).toBe(1)
  expect(stderr).toMatch(OFTEN)
  expect(await toolbox()).toMatchObject({
    status: 'active',
    dtmaVersion: NEWER,
    update: { version: '99.1.0', phase: 'fell_back', reason: 'crash_loop' },
  })
})
