import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ToolRequest, ToolSpec, type ToolStatus } from '../contract/tool.ts'
import { type AcceptedTool, openSpecFiles, type SpecFiles } from './spec-file.ts'
import type { ToolReconciler } from './tool.reconciler.ts'
import type { ToolWorker } from './tool.worker.ts'
import { changeOf, createToolRegistry } from './tool-registry.ts'
import { createToolSecrets } from './tool-secrets.ts'

const spec = ToolSpec.parse({ package: { type: 'npm', name: 'x', version: '1.0.0' }, transport: { type: 'stdio' } })
const other = { ...spec, args: ['--other'] }
const accepted: AcceptedTool = {
  name: 'mail',
  generation: 5,
  desired: 'running',
  spec,
  claim: 'c',
  restarts: 3,
  images: [],
}

type Row = [string, Omit<ToolRequest, 'spec'> & { spec?: ToolRequest['spec'] }, object | undefined]
test.each<Row>([
  ['the same request again changes nothing', { generation: 5, desired: 'running' }, undefined],
  [
    'the same generation may only change whether it runs',
    { generation: 5, desired: 'stopped' },
    { desired: 'stopped' },
  ],
  [
    'a higher generation replaces all and counts restarts anew',
    { generation: 6, desired: 'stopped', spec: other },
    { generation: 6, desired: 'stopped', spec: other, restarts: 0 },
  ],
  [
    'a higher generation of the same spec counts, too',
    { generation: 9, desired: 'running' },
    { generation: 9, desired: 'running', spec, restarts: 0 },
  ],
])('%s', (_, request, change) => {
  expect(changeOf(accepted, { spec, ...request })).toEqual(change)
})

test.each([
  ['a lower generation', { generation: 4, desired: 'running', spec }],
  ['the same generation with another spec', { generation: 5, desired: 'running', spec: other }],
] as const)('C03: a request that comes too late is refused: %s', (_, request) => {
  expect(() => changeOf(accepted, request)).toThrow(expect.objectContaining({ code: 'stale-generation' }))
})

/** A reconciler that only remembers. Saving is slow, so that requests overlap. */
function registry(
  save: SpecFiles['save'] = () => new Promise((resolve) => setTimeout(resolve, 5)),
  before: readonly AcceptedTool[] = [],
) {
  const workers = new Map<string, ToolWorker>()
  const listeners: (() => void)[] = []
  let saves = 0
  const tools = {
    find: (name: string) => workers.get(name),
    list: () => [...workers.values()],
    onChange: (listener: () => void) => void listeners.push(listener),
    add(tool: AcceptedTool) {
      const worker = { tool, status: { name: tool.name, generation: tool.generation } } as ToolWorker
      workers.set(tool.name, worker)
      return worker
    },
  } as unknown as ToolReconciler
  for (const tool of before) tools.add(tool)
  const files: SpecFiles = {
    owner: 'o',
    save: (tool) => {
      saves++
      return save(tool)
    },
    remove: async () => undefined,
  }
  const secrets = createToolSecrets(() => undefined)
  return {
    registry: createToolRegistry({ tools, files, secrets }),
    saves: () => saves,
    show(name: string, status: Partial<ToolStatus>) {
      const worker = workers.get(name)!
      workers.set(name, { ...worker, status: { ...worker.status, ...status } })
      for (const listener of listeners) listener()
    },
  }
}
const NEVER = new AbortController().signal
const request: ToolRequest = { generation: 1, desired: 'running', spec }

test('of many creates at once one succeeds and the others hear that it exists', async () => {
  const { registry: tools, saves } = registry()
  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => tools.create('mail', request)))
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(saves()).toBe(1)
})

test('C01 C02: of the same put many times at once all succeed, and it is accepted once', async () => {
  const { registry: tools, saves } = registry()
  await Promise.all(Array.from({ length: 8 }, () => tools.put('mail', request)))
  expect(saves()).toBe(1)
})

test('C01 a put whose answer was lost, with the DTMA that gave it, is answered when it comes again, and makes nothing twice', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'dtma-lost-'))
  try {
    const first = registry((await openSpecFiles(directory)).files.save)
    void first.registry.put('mail', request) // whoever has asked is cut off
    await expect.poll(async () => (await openSpecFiles(directory)).tools.length).toBe(1)

    const { files, tools: kept } = await openSpecFiles(directory)
    const second = registry(files.save, kept)
    expect(await second.registry.put('mail', request)).toMatchObject({ name: 'mail', generation: 1 })
    expect(await second.registry.put('mail', request)).toMatchObject({ name: 'mail', generation: 1 })
    expect([first.saves(), second.saves(), second.registry.list().length]).toEqual([1, 0, 1])
    // The same claim as before: by it the container is found that the first DTMA has made.
    const { tools: after } = await openSpecFiles(directory)
    expect(after.map(({ claim }) => claim)).toEqual(kept.map(({ claim }) => claim))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('what cannot be written is not accepted', async () => {
  const { registry: tools } = registry(() => Promise.reject(new Error('ENOSPC')))
  await expect(tools.put('mail', request)).rejects.toMatchObject({ code: 'state-not-writable' })
  expect(tools.list()).toEqual([])
})

test('who waits for a tool that starts hears of it when it runs, and not before', async () => {
  const { registry: tools, show } = registry()
  await tools.put('mail', request)
  show('mail', { desired: 'running', state: 'starting' })
  const heard: unknown[] = []
  const waiting = tools.rested('mail', 60_000, NEVER).then(({ state }) => heard.push(state))
  show('mail', { state: 'created' })
  await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual([])
  show('mail', { state: 'running' })
  await waiting
  expect(heard).toEqual(['running'])
})

test('who waits hears after the time that was asked for how far it is, and at once when it is removed or they go', async () => {
  const { registry: tools, show } = registry()
  await tools.put('mail', request)
  show('mail', { desired: 'running', state: 'pulling' })
  expect(await tools.rested('mail', 1, NEVER)).toMatchObject({ state: 'pulling' })
  await expect(tools.rested('other', 60_000, NEVER)).rejects.toMatchObject({ code: 'tool-not-found' })
  const gone = new AbortController()
  const waiting = tools.rested('mail', 60_000, gone.signal)
  gone.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
})

test('a tool that is not there cannot be started, but can be deleted', async () => {
  const { registry: tools } = registry()
  await expect(tools.start('nothing')).rejects.toMatchObject({ code: 'tool-not-found' })
  await tools.delete('nothing')
})

/** A reconciler that carries out at once what is accepted, in as many turns of the event loop as the seed says. */
function racingRegistry(turns: () => number) {
  const pause = async () => {
    for (let left = turns(); left > 0; left--) await new Promise<void>((resolve) => setImmediate(resolve))
  }
  const workers = new Map<string, ToolWorker>()
  const tools = {
    find: (name: string) => workers.get(name),
    list: () => [...workers.values()],
    add(first: AcceptedTool) {
      const gone = Promise.withResolvers<void>()
      let tool = first
      const worker = {
        get tool() {
          return tool
        },
        get status() {
          return { name: tool.name, generation: tool.generation }
        },
        gone: gone.promise,
        async accept(change: Partial<AcceptedTool>) {
          await pause()
          tool = { ...tool, ...change }
          if (tool.desired !== 'absent') return
          void pause().then(() => {
            workers.delete(tool.name)
            gone.resolve()
          })
        },
      } as unknown as ToolWorker
      workers.set(first.name, worker)
      return worker
    },
    onChange: () => undefined,
  } as unknown as ToolReconciler
  const files: SpecFiles = { owner: 'o', save: pause, remove: async () => undefined }
  return createToolRegistry({ tools, files, secrets: createToolSecrets(() => {}) })
}

test('C04: however deletions and deployments overlap, the last one wins, generations never go back, nothing rises again', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ put: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 1, arbitrary: fc.constant('delete' as const) },
  )
  const turns = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), turns, async (steps, waits) => {
      let at = 0
      const tools = racingRegistry(() => waits[at++ % waits.length]!)
      const answers = await Promise.allSettled(
        steps.map((step) =>
          step === 'delete'
            ? tools.delete('mail')
            : tools.put('mail', { ...request, generation: step.put, spec: { ...spec, args: [`${step.put}`] } }),
        ),
      )
      // The same, one after the other.
      let generation: number | undefined
      const expected = steps.map((step) => {
        if (step === 'delete') {
          generation = undefined
          return 'fulfilled'
        }
        const isStale = generation !== undefined && step.put < generation
        if (!isStale) generation = step.put
        return isStale ? 'rejected' : 'fulfilled'
      })
      expect(answers.map(({ status }) => status)).toEqual(expected)
      expect(tools.list().map((tool) => tool.generation)).toEqual(generation === undefined ? [] : [generation])
    }),
    { numRuns: 1_000 },
  )
})
