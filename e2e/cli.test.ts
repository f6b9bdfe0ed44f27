import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Product, startProduct, waitFor } from './product.ts'

const CLI = fileURLToPath(new URL('../dist/agentopia.mjs', import.meta.url))
let product: Product
beforeAll(async () => {
  product = await startProduct()
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

/** Runs the built command line as a shell does. */
async function agentopia(args: readonly string[], input = '') {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env['PATH'], AGENTOPIA_CONFIG: join(product.dataDir, 'cli.json') },
    stdio: 'pipe',
  })
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
  return JSON.parse(stdout)
}

describe('the command line', () => {
  it('goes by itself from sign-in over a deployment to a recorded call, in JSON throughout', async () => {
    expect((await agentopia(['login'], `${product.signInLink}\n`)).code).toBe(1) // it was used to start this test
    const login = await agentopia(['login', '--url', product.url], `${product.token}\n`)
    expect(login.stdout).toContain(product.url)
    await waitFor('the toolbox is not active', 60_000, async () =>
      (await json('toolbox', 'list')).find(
        (one: { status: string; connected: boolean }) => one.status === 'active' && one.connected,
      ),
    )
    await waitFor('the toolbox is not reachable', 60_000, async () =>
      (await json('toolbox', 'refresh', 'local')).observation.code === 'reachable' ? true : undefined,
    )
    expect(await json('tool', 'deploy', 'everything')).toMatchObject({ state: 'running', name: 'everything' })
    await json('agent', 'create', 'scout')
    await json('toolbelt', 'add', 'scout', 'everything', '--allow', 'echo')
    const call = await json('agent', 'call', 'scout', 'everything__echo', '--args', '{"message":"by hand"}')
    expect(JSON.stringify(call)).toContain('by hand')
    const denied = await agentopia(['agent', 'call', 'scout', 'everything__get-env', '--args', '{}', '--json'])
    expect(denied.code).toBe(1)
    expect(JSON.parse(denied.stderr)).toMatchObject({ code: 'capability-denied' })
    const made = await json('agent', 'connect', 'scout')
    expect(made.snippets.length).toBeGreaterThan(3)
    await waitFor('the calls are not on record', 10_000, async () =>
      (await json('call', 'list')).items.length >= 2 ? true : undefined,
    )
    await json('tool', 'remove', 'everything', '--force')
  })

  it('tells what is wrong and what to do, with an exit code of its own', async () => {
    const wrong = await agentopia(['tool', 'dance'])
    expect(wrong.code).toBe(64)
    const missing = await agentopia(['toolbox', 'show', 'nothing', '--json'])
    expect(missing.code).toBe(1)
    expect(JSON.parse(missing.stderr)).toMatchObject({ code: 'toolbox-not-found' })
  })
})
