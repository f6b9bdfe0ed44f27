import { expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { AcceptedTool } from './spec-file.ts'
import { newMemory } from './tool.memory.ts'
import { createToolSteps, type ToolAtWork, type ToolStepsDeps } from './tool.steps.ts'
import { createToolImages } from './tool-images.ts'

const { signal } = new AbortController()
const NPM = { type: 'npm', name: 'server', version: '1.0.0' }
const PYPI = { type: 'pypi', name: 'server', version: '1.0' }

/** A toolbox whose images are kept by name, with one tool that is made on it again and again. */
function toolbox(pkg: object, npm?: string) {
  const there = new Set<string>()
  const built: string[] = []
  const docker = {
    inspectImage: async (reference: string) => (there.has(reference) ? { Id: `id of ${reference}` } : undefined),
    async *buildImage(tag: string) {
      built.push(tag)
      there.add(tag)
      yield {}
    },
  } as unknown as DockerApi
  const world = { base: 'sha256:one', npm, there, built }
  let tool: AcceptedTool = {
    name: 'mail',
    generation: 1,
    desired: 'running',
    spec: ToolSpec.parse({ package: pkg, transport: { type: 'stdio' } }),
    claim: 'c',
    restarts: 0,
    images: [],
  }

  /** Finds, builds what is missing, and creates: a new DTMA each time. @returns The image that it is made from. */
  async function make(change: Partial<AcceptedTool> = {}): Promise<string | undefined> {
    tool = { ...tool, ...change, containerId: undefined }
    const images = createToolImages({
      docker,
      runnerBase: async () => world.base,
      pythonBase: { image: 'python', find: async () => world.base, pull: async () => undefined },
      sources: {} as never,
      indexes: { npm: world.npm, pypi: undefined },
      owner: 'o',
    })
    const memory = newMemory()
    const containers = { create: async () => 'id' } as unknown as ToolStepsDeps['containers']
    const { steps } = createToolSteps({ images, containers } as unknown as ToolStepsDeps)
    const work = {
      get tool() {
        return tool
      },
      memory,
      show: () => undefined,
      note: async (noted: Partial<AcceptedTool>) => {
        tool = { ...tool, ...noted }
      },
    } as unknown as ToolAtWork
    await steps['find-image'](work, {} as never, signal)
    if (memory.image === 'absent') await steps['make-image'](work, {} as never, signal)
    await steps.create(work, {} as never, signal)
    return tool.images.at(-1)
  }
  const spec = () => tool.spec
  return { world, make, spec }
}

test.each([NPM, PYPI])(
  'after an update of DTMA the image of a package is used on, also by later generations: %o',
  async (pkg) => {
    const { world, make, spec } = toolbox(pkg)
    const first = await make()
    world.base = 'sha256:two'
    expect(await make()).toBe(first)
    expect(await make({ generation: 2, spec: { ...spec(), args: ['--more'] } })).toBe(first)
    expect(world.built).toEqual([first])
  },
)

test('an image that another tool has made is pinned as its own is', async () => {
  const { world, make } = toolbox(NPM)
  const other = toolbox(NPM)
  const tag = (await other.make())!
  world.there.add(tag)
  expect(await make()).toBe(tag)
  world.base = 'sha256:two'
  expect(await make()).toBe(tag)
  expect(world.built).toEqual([])
})

test('it is built anew, on what DTMA brings now, when it has gone, and for another version or registry', async () => {
  const { world, make, spec } = toolbox(NPM)
  const first = (await make())!
  world.base = 'sha256:two'
  world.there.delete(first)
  const second = await make()
  expect(second).not.toBe(first)
  const third = await make({ generation: 2, spec: { ...spec(), package: { ...NPM, type: 'npm', version: '1.0.1' } } })
  expect(third).toContain('1.0.1')
  world.npm = 'https://packages.example'
  const fourth = await make()
  expect(world.built).toEqual([first, second, third, fourth])
})

test('the version before is found again without being built, whatever DTMA was updated to meanwhile', async () => {
  const { world, make, spec } = toolbox(NPM)
  const before = spec()
  const first = await make()
  world.base = 'sha256:two'
  await make({ generation: 2, spec: { ...before, package: { ...NPM, type: 'npm', version: '1.0.1' } } })
  expect(await make({ spec: before })).toBe(first)
  expect(world.built).toHaveLength(2)
})
