import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callCapability, deleteTool, getTool, putTool, type ToolSpec } from '@agentopia/dtma/contract'
import { type DtmaProcess, dtmaProcess } from '@agentopia/dtma/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CURATED } from './curated.ts'
import { parseConfigValues, type Recipe, renderSpec } from './recipe.ts'

// What the curated catalogue promises: every entry without secrets runs as it is written there, and answers a call.

interface Call {
  readonly capability: string
  readonly arguments?: Readonly<Record<string, unknown>>
  readonly answer: RegExp
}

const PAGE = 'data:text/html,<title>A page</title><h1>Hello from a browser</h1>'
const CALLS: Readonly<Record<string, readonly Call[]>> = {
  everything: [{ capability: 'echo', arguments: { message: 'hello' }, answer: /hello/ }],
  'everything-http': [{ capability: 'echo', arguments: { message: 'hello' }, answer: /hello/ }],
  memory: [
    {
      capability: 'create_entities',
      arguments: { entities: [{ name: 'Ada', entityType: 'person', observations: ['counts'] }] },
      answer: /Ada/,
    },
    { capability: 'read_graph', answer: /counts/ },
  ],
  filesystem: [
    { capability: 'write_file', arguments: { path: '/data/note.txt', content: 'kept' }, answer: /wrote/i },
    { capability: 'read_text_file', arguments: { path: '/data/note.txt' }, answer: /kept/ },
  ],
  'sequential-thinking': [
    {
      capability: 'sequentialthinking',
      arguments: { thought: 'first', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 },
      answer: /thoughtNumber/,
    },
  ],
  playwright: [
    { capability: 'browser_navigate', arguments: { url: PAGE }, answer: /Page Title: A page/ },
    { capability: 'browser_snapshot', answer: /Hello from a browser/ },
  ],
}

const run = randomBytes(3).toString('hex')
const names = new Set<string>()
let directory = ''
let dtma: DtmaProcess
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-curated-'))
  dtma = await dtmaProcess({
    DTMA_STATE_DIR: directory,
    DTMA_RUNNER_IMAGE: process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim',
  })
  await dtma.start()
})
afterAll(async () => {
  for (const name of names) await dtma.client.call(deleteTool, { params: { name } })
  await dtma.stop()
  await rm(directory, { recursive: true })
})

async function deploy(id: string, spec: ToolSpec): Promise<string> {
  const name = `q${run}-${id}`
  names.add(name)
  await dtma.client.call(putTool, { params: { name }, body: { generation: 1, spec } })
  const told = async () => {
    const { state, message = '' } = await dtma.client.call(getTool, { params: { name } })
    return `${state} ${message}`.trim()
  }
  await expect.poll(told, { timeout: 900_000, interval: 500 }).toBe('running')
  return name
}

/** @returns The whole result, as text. */
const answerOf = async (name: string, { capability, arguments: given = {} }: Call): Promise<string> => {
  const body = { capability, arguments: { ...given }, timeoutMs: 60_000 }
  return JSON.stringify(await dtma.client.call(callCapability, { params: { name }, body }))
}

const withoutSecrets = CURATED.filter(({ secrets = [] }) => secrets.length === 0)
const specOf = (recipe: Recipe) => renderSpec(recipe, parseConfigValues(recipe.config, {}))

test.each(withoutSecrets.map((recipe) => [recipe.id, recipe] as const))(
  '%s runs under the profile of its entry, and answers',
  async (id, recipe) => {
    const name = await deploy(id, specOf(recipe))
    expect(CALLS[id], 'an entry without a call is not proven').toBeDefined()
    for (const call of CALLS[id]!) expect(await answerOf(name, call)).toMatch(call.answer)
  },
  1_000_000,
)

test('a browser needs its profile: with the usual limits of the strict one it opens no page', async () => {
  const { resources: _, profiles: __, ...spec } = specOf(CURATED.find(({ id }) => id === 'playwright')!)
  const strict = { ...spec, profiles: [], resources: { memoryMib: 256, cpus: 1, pids: 64 } }
  const name = await deploy('playwright-strict', strict)
  const [open] = CALLS['playwright']!
  expect(await answerOf(name, open!).catch(String)).not.toMatch(open!.answer)
}, 500_000)
