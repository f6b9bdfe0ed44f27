import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { takeAway } from '../belongings.testing.ts'
import { createGroup, deleteGroup, getGroup } from '../contract/group.ts'
import { listTools } from '../contract/operations.ts'
import { type DtmaProcess, dtmaProcess } from '../dtma-process.testing.ts'

const run = Math.random().toString(36).slice(2, 8)
const [first, second] = [`g${run}-first`, `g${run}-second`]
const npm = (bin?: string) => ({
  package: {
    type: 'npm' as const,
    name: '@modelcontextprotocol/server-everything',
    version: '2026.8.31',
    ...(bin ? { bin } : {}),
  },
  transport: { type: 'stdio' as const },
})
let directory = ''
let dtma: DtmaProcess

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-groups-'))
  dtma = await dtmaProcess({
    DTMA_STATE_DIR: directory,
    DTMA_RUNNER_IMAGE: process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim',
  })
  await dtma.start()
})
afterAll(async () => {
  await dtma.client.call(deleteGroup, { params: { id: run } })
  await dtma.stop()
  await takeAway(directory)
})

const group = () => dtma.client.call(getGroup, { params: { id: run } })
const names = async () => (await dtma.client.call(listTools, {})).tools.map(({ name }) => name)
const create = (bin?: string) =>
  dtma.client.call(createGroup, {
    body: {
      id: run,
      tools: [
        { name: second, generation: 1, spec: npm(bin), after: [first] },
        { name: first, generation: 1, spec: npm() },
      ],
    },
  })

test('C05 a group with a tool that cannot be built leaves nothing; mended, it is deployed as a whole, also over a kill', {
  timeout: 400_000,
}, async () => {
  await create('no-such-command')
  await expect.poll(group, { timeout: 120_000 }).toMatchObject({ state: 'failed', failure: { tool: second } })
  expect(await names()).toEqual([])

  await create()
  await expect.poll(names, { timeout: 60_000 }).toContain(first)
  await dtma.kill()
  await dtma.start()
  await expect.poll(group, { timeout: 120_000 }).toMatchObject({
    state: 'ready',
    tools: [
      { name: first, state: 'running' },
      { name: second, state: 'running' },
    ],
  })
  await dtma.client.call(deleteGroup, { params: { id: run } })
  expect(await names()).toEqual([])
  await expect(group()).rejects.toMatchObject({ code: 'group-not-found' })
})
