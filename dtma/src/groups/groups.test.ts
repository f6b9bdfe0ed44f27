import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GroupRequest } from '../contract/group.ts'
import { problem } from '../contract/problems.ts'
import type { ToolStatus } from '../contract/tool.ts'
import { createLog } from '../log.ts'
import { systemClock } from '../uplink/clock.ts'
import { orderOf } from './group.order.ts'
import { openGroupRegistry } from './group.registry.ts'
import { openGroupFiles } from './group-file.ts'

const spec = { package: { type: 'npm', name: 'x', version: '1.0.0' }, transport: { type: 'stdio' } } as const
const request = (tools: Record<string, string[]>, id = 'desk') =>
  GroupRequest.parse({
    id,
    tools: Object.entries(tools).map(([name, after]) => ({ name, generation: 1, spec, after })),
  })

let directory = ''
let stop = new AbortController()
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-groups-'))
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await rm(directory, { recursive: true })
})

/** Tools that become what the test says, when it says so. */
async function world() {
  const tools = new Map<string, ToolStatus>()
  const done: string[] = []
  const refused = new Set<string>()
  const statusOf = (name: string) => tools.get(name)
  const open = async (signal: AbortSignal) =>
    openGroupRegistry({
      registry: {
        async put(name, { generation }) {
          if (refused.has(name)) throw problem('stale-generation', `${name} comes too late`)
          done.push(`put ${name}`)
          const since = new Date().toISOString()
          const status: ToolStatus = { name, generation, desired: 'running', state: 'building', since, restarts: 0 }
          tools.set(name, tools.get(name) ?? status)
          return status
        },
        async delete(name) {
          done.push(`delete ${name}`)
          tools.delete(name)
        },
      },
      statusOf,
      files: await openGroupFiles(directory),
      log: createLog({ level: 'error', write: () => undefined, date: () => new Date() }),
      now: () => performance.now(),
      date: () => new Date(),
      sleep: systemClock.sleep,
      signal,
    })
  const groups = await open(stop.signal)
  return {
    groups,
    done,
    tools,
    refused,
    open,
    becomes(name: string, more: Partial<ToolStatus>) {
      tools.set(name, { ...tools.get(name)!, ...more })
      groups.wake()
    },
  }
}
const mcp = { protocolVersion: '1', server: { name: 's', version: '1' }, capabilityDigest: 'd', capabilityCount: 1 }
const RUNNING = { state: 'running', mcp } as const
const settle = () => new Promise((resolve) => setTimeout(resolve, 50))

test('tools are begun in the order of their needs, each when those before it answer, and go in the reverse order', async () => {
  const { groups, done, becomes } = await world()
  await groups.create(request({ page: ['api'], api: ['store'], store: [] }))
  await expect.poll(() => done).toEqual(['put store'])
  becomes('store', { state: 'running' }) // it does not answer yet
  await settle()
  expect(done).toEqual(['put store'])
  expect(groups.get('desk')).toMatchObject({
    state: 'deploying',
    tools: [
      { name: 'store', state: 'running' },
      { name: 'api', state: 'waiting' },
      { name: 'page', state: 'waiting' },
    ],
  })
  becomes('store', RUNNING)
  await expect.poll(() => done).toEqual(['put store', 'put api'])
  becomes('api', RUNNING)
  await expect.poll(() => done).toEqual(['put store', 'put api', 'put page'])
  becomes('page', RUNNING)
  await expect.poll(() => groups.get('desk').state).toBe('ready')
  await groups.delete('desk')
  expect(done.slice(3)).toEqual(['delete page', 'delete api', 'delete store'])
  expect(groups.list()).toEqual([])
  await groups.delete('desk')
})

test('a tool that fails undoes those that were begun, the last one first, and the group says which it was and why', async () => {
  const { groups, done, becomes } = await world()
  await groups.create(request({ store: [], api: ['store'], page: ['api'] }))
  await expect.poll(() => done).toEqual(['put store'])
  becomes('store', RUNNING)
  await expect.poll(() => done).toContain('put api')
  becomes('api', { state: 'blocked', reason: 'package_not_found', message: 'The registry has no such package' })
  await expect.poll(() => groups.get('desk').state).toBe('failed')
  expect(done).toEqual(['put store', 'put api', 'delete api', 'delete store'])
  const failure = { tool: 'api', reason: 'package_not_found', message: 'The registry has no such package' }
  expect(groups.get('desk').failure).toEqual(failure)
  // Something else under the same id is another try.
  await groups.create(request({ store: [] }))
  await expect.poll(() => groups.get('desk').state).toBe('deploying')
})

test('a tool that the toolbox refuses undoes the group, too', async () => {
  const { groups, done, refused, becomes } = await world()
  refused.add('api')
  await groups.create(request({ store: [], api: ['store'] }))
  await expect.poll(() => done).toEqual(['put store'])
  becomes('store', RUNNING)
  await expect
    .poll(() => groups.get('desk'))
    .toMatchObject({ state: 'failed', failure: { tool: 'api', message: 'api comes too late' } })
  expect(done).toContain('delete store')
})

test('a tool that waits for its secrets holds nobody up', async () => {
  const { groups, done, becomes } = await world()
  await groups.create(request({ mail: [], page: ['mail'] }))
  await expect.poll(() => done).toEqual(['put mail'])
  becomes('mail', { state: 'blocked', reason: 'missing_credential' })
  await expect.poll(() => done).toEqual(['put mail', 'put page'])
})

test('the same request again changes nothing; other tools under the id of a group, or a name that is taken, are refused', async () => {
  const { groups, done, tools } = await world()
  const asked = request({ store: [] })
  await groups.create(asked)
  await groups.create(asked)
  await settle()
  expect(done).toEqual(['put store'])
  await expect(groups.create(request({ store: [], api: [] }))).rejects.toMatchObject({ code: 'group-exists' })
  tools.set('mail', { ...tools.get('store')!, name: 'mail' })
  await expect(groups.create(request({ mail: [] }, 'other'))).rejects.toMatchObject({ code: 'tool-exists' })
  expect(() => groups.get('other')).toThrow('No group')
})

test('C05 a DTMA that ended in the middle goes on with the group where it was', async () => {
  const { groups, open, done, becomes } = await world()
  await groups.create(request({ store: [], api: ['store'] }))
  await expect.poll(() => done).toEqual(['put store'])
  stop.abort()
  await groups.stopped()
  becomes('store', RUNNING)
  stop = new AbortController()
  const again = await open(stop.signal)
  await expect.poll(() => done).toEqual(['put store', 'put api'])
  becomes('api', RUNNING)
  again.wake()
  await expect.poll(() => again.get('desk').state).toBe('ready')
})

test.each([
  [{ a: ['b'], b: ['a'] }, 'These need each other in a circle: a, b'],
  [{ a: ['a'] }, 'These need each other in a circle: a'],
  [{ a: ['z'] }, 'a comes after z, which is not in the group'],
])('an order that there is not is refused: %j', (tools, wrong) => {
  expect(orderOf(request(tools as unknown as Record<string, string[]>).tools)).toEqual({ wrong })
})
