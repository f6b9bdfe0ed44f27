import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { docker, dtmaContainerOf } from './docker.ts'
import { freePort, type Product, startProduct, waitFor } from './product.ts'
import { activeToolbox } from './settled.ts'

// The built command line looks at a product that is well, and then at one that is broken in one place after the other.

const CLI = fileURLToPath(new URL('../dist/agentopia.mjs', import.meta.url))
const SETTLE_MS = 120_000

interface Report {
  readonly code: number
  readonly ok: boolean
  readonly checks: readonly {
    readonly id: string
    readonly state: string
    readonly finding: string
    readonly fix?: string
  }[]
}

let product: Product
let container: string
let dtmaPort: string

beforeAll(async () => {
  dtmaPort = String(await freePort())
  product = await startProduct({ LOCAL_DTMA_PORT: dtmaPort })
  container = dtmaContainerOf((await activeToolbox(product.client)).id)
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

/** @param env Over what a person on this machine has. */
async function doctor(env: Readonly<Record<string, string>> = {}): Promise<Report> {
  const child = spawn(process.execPath, [CLI, 'doctor', '--json'], {
    env: {
      PATH: process.env['PATH'],
      AGENTOPIA_CONFIG: join(product.dataDir, 'cli.json'),
      AGENTOPIA_URL: product.url,
      AGENTOPIA_TOKEN: product.token,
      LOCAL_DTMA_PORT: dtmaPort,
      DATA_DIR: product.dataDir,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk
  })
  const [code] = await once(child, 'close')
  return { code: code as number, ...(JSON.parse(stdout) as Omit<Report, 'code'>) }
}
const failuresIn = ({ checks }: Report) => checks.filter(({ state }) => state === 'failed')
/** Each failure comes with its fix, and makes the exit code 1. */
async function failing(ids: readonly string[], env?: Readonly<Record<string, string>>): Promise<Report> {
  const report = await waitFor(`not: ${ids.join(', ')}`, SETTLE_MS, async () => {
    const seen = await doctor(env)
    const failed = failuresIn(seen).map(({ id }) => id)
    return ids.every((id) => failed.includes(id)) && failed.length === ids.length ? seen : undefined
  })
  expect(report).toMatchObject({ code: ids.length === 0 ? 0 : 1, ok: ids.length === 0 })
  for (const { id, fix } of failuresIn(report)) expect({ id, fix }).toEqual({ id, fix: expect.stringMatching(/\w{4}/) })
  return report
}

test('a product that is well: every check is green, those of the toolbox too', async () => {
  const { checks } = await failing([])
  const ids = checks.filter(({ state }) => state === 'ok').map(({ id }) => id)
  for (const id of [
    'network',
    'control-plane',
    'version',
    'clock',
    'sign-in',
    'docker',
    'dtma',
    'disk',
    'local/docker',
  ])
    expect(ids).toContain(id)
})

test('no Docker where it is looked for', async () => {
  await failing(['docker'], { DOCKER_HOST: 'unix:///nowhere/docker.sock' })
})

test('DTMA stopped: seen from here and by the control plane', async () => {
  await docker('pause', container)
  try {
    const report = await failing(['dtma', 'local'])
    expect(failuresIn(report)[0]?.finding).toContain('No DTMA answers')
  } finally {
    await docker('unpause', container)
  }
  await failing([])
})

test('a token that opens nothing', async () => {
  await failing(['sign-in'], { AGENTOPIA_TOKEN: 'tbx_of_nobody' })
})

test('a control plane that is gone', async () => {
  await product.kill()
  const report = await failing(['network', 'control-plane'])
  expect(failuresIn(report)[0]?.finding).toContain('Nothing listens')
  await product.start()
  await failing([])
})
