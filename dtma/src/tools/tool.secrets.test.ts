import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { INFO, toolInMemory } from './tool-in-memory.testing.ts'

let stop: AbortController
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  stop = new AbortController()
})
afterEach(() => {
  stop.abort()
  vi.useRealTimers()
})

const SPEC = ToolSpec.parse({
  package: { type: 'npm', name: 'mail', version: '1.0.0' },
  transport: { type: 'stdio' },
  secrets: [{ name: 'apiKey', env: 'API_KEY' }],
})

function tool() {
  const made = toolInMemory(stop.signal, SPEC)
  return {
    ...made,
    pass: (ms = 0) => vi.advanceTimersByTimeAsync(ms),
    give(version: string, apiKey: string) {
      made.secrets.hold('mail', { version, values: { apiKey } })
      made.worker.secretsChanged()
    },
    withdraw() {
      made.secrets.withdraw('mail')
      made.worker.secretsChanged()
    },
  }
}

test('K06 without its secrets a tool is prepared and blocked, and no container is made', async () => {
  const { world, worker, history, pass } = tool()
  world.imageThere = false
  await pass(700_000)
  expect(history.slice(0, 2)).toEqual(['building', 'blocked missing_credential'])
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'missing_credential', secrets: {} })
  expect(worker.status.message).toContain('apiKey')
  expect(world.container()).toBeUndefined()
  expect(world.started).toBe(0)
})

test('once they come it is started with them, and says with which version', async () => {
  const { world, worker, pass, give } = tool()
  await pass()
  give('c.1', 'first-value')
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', secrets: { held: 'c.1', used: 'c.1' }, restarts: 0 })
  expect(world.stdin).toBe('{"dtmaSecrets":{"env":{"API_KEY":"first-value"},"files":{}}}\n')
})

test('K01 no value is written to disk', async () => {
  const { world, pass, give } = tool()
  give('c.1', 'canary-on-disk')
  await pass()
  expect(JSON.stringify(world.saved)).toContain('c.1')
  expect(JSON.stringify(world.saved)).not.toContain('canary-on-disk')
})

test('K04 another version ends what runs with the old one, quickly and without blame', async () => {
  const { world, worker, pass, give } = tool()
  give('c.1', 'first-value')
  await pass()
  world.stdin = ''
  give('c.2', 'second-value')
  expect(worker.status.secrets).toEqual({ held: 'c.2', used: 'c.1' })
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', secrets: { held: 'c.2', used: 'c.2' }, restarts: 0 })
  expect(world.stdin).toContain('second-value')
  expect(world.stdin).not.toContain('first-value')
  expect(world.grace).toBe(2)
})

test('K04 another version while the handshake of the old one lasts does not wait for it', async () => {
  const { world, worker, pass, give } = tool()
  const handshake = world.open
  world.open = (signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  give('c.1', 'first-value')
  await pass()
  expect(worker.status.state).toBe('starting')
  world.open = handshake
  give('c.2', 'second-value')
  await pass()
  expect(worker.status).toMatchObject({ state: 'running', secrets: { used: 'c.2' } })
})

test('the same version again restarts nothing', async () => {
  const { world, worker, pass, secrets, give } = tool()
  give('c.1', 'value-of-it')
  await pass()
  secrets.drop('mail') // as after a restart of DTMA
  give('c.1', 'value-of-it')
  await pass(60_000)
  expect(world.started).toBe(1)
  expect(worker.status.state).toBe('running')
})

test('withdrawn secrets stop the tool at once, and it stays blocked', async () => {
  const { world, worker, pass, give, withdraw } = tool()
  give('c.1', 'value-of-it')
  await pass()
  withdraw()
  await pass()
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'missing_credential', secrets: {} })
  expect(world.container()?.state).toBe('exited')
  await pass(700_000)
  expect(world.started).toBe(1)
})

test('K06 a crash of a tool whose secrets this run of DTMA does not know is no start without them', async () => {
  const { world, worker, pass, give, secrets } = tool()
  give('c.1', 'value-of-it')
  await pass()
  secrets.drop('mail')
  world.exit()
  await pass(20_000)
  expect(worker.status).toMatchObject({ state: 'blocked', reason: 'missing_credential' })
  give('c.1', 'value-of-it')
  await pass()
  expect(worker.status.state).toBe('running')
})

test('K01 a server that repeats its secret in an error shows it to nobody', async () => {
  const { world, worker, pass, give } = tool()
  world.open = async () => {
    throw new Error('the key value-of-it is wrong')
  }
  give('c.1', 'value-of-it')
  await pass()
  expect(worker.status.message).toContain('the key *** is wrong')
  world.open = async () => INFO
  await pass(2_000)
  expect(worker.status.state).toBe('running')
})
