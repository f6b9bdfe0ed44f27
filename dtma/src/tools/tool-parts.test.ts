import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { CreateBody, ImageDetails } from '../engine/docker.types.ts'
import { EngineError } from '../engine/engine-error.ts'
import type { AcceptedTool } from './spec-file.ts'
import { createToolParts } from './tool-parts.ts'

const never = new AbortController().signal
const image: ImageDetails = {
  Id: 'sha256:1',
  RepoTags: [],
  RepoDigests: [],
  Size: 1,
  Config: { Entrypoint: ['/server'], Cmd: [], Env: [], WorkingDir: '', Labels: {}, Volumes: [], ExposedPorts: [] },
}
const keeper: AcceptedTool = {
  name: 'mail',
  generation: 1,
  desired: 'running',
  spec: ToolSpec.parse({
    package: { type: 'npm', name: 'x', version: '1.0.0' },
    transport: { type: 'stdio' },
    state: { path: '/data' },
  }),
  claim: 'c',
  restarts: 0,
  images: [],
}

/** A tool's volume and the containers that use it, without Docker. */
function machine() {
  const containers = new Map<string, Pick<CreateBody, 'Labels'>>()
  const volumes = new Map<string, Readonly<Record<string, string>>>()
  const world = {
    containers,
    volumes,
    /** Docker finishes what it has begun; whether its answer arrives is another thing. */
    answered: (): void => undefined,
  }
  const docker: Partial<DockerApi> = {
    inspectNetwork: async () => undefined,
    inspectVolume: async (Name) => {
      const Labels = volumes.get(Name)
      return Labels && { Name, Labels }
    },
    createVolume: async (name, labels) => void volumes.set(name, labels),
    removeVolume: async (name) => {
      if (containers.size > 0) throw new EngineError('conflict', 'volume is in use')
      volumes.delete(name)
    },
    inspectContainer: async (name) => {
      const found = containers.get(name)
      return found && ({ Id: name, Config: found } as never)
    },
    createContainer: async (name, body) => {
      containers.set(name, body)
      world.answered()
      return name
    },
    putArchive: async (_id, _path, tar: Readable) => void (await buffer(tar)),
    removeContainer: async (id) => void containers.delete(id),
  }
  const parts = createToolParts({
    docker: docker as DockerApi,
    owner: 'o',
    egress: { join: async () => undefined, leave: async () => undefined, connect: () => Promise.reject(new Error()) },
    isolation: () => ({ state: 'ok', leaks: [] }),
    firewall: { require: async () => undefined, wake: () => undefined },
  })
  return { world, parts }
}

test('what helps to prepare the state of a tool is gone when it is prepared', async () => {
  const { world, parts } = machine()
  await parts.ensure(keeper, image, never)
  expect([...world.volumes.keys()]).toEqual(['dtma-mail'])
  expect([...world.containers.keys()]).toEqual([])
})

test('C05: what was cut off while the state was prepared goes with the tool, and holds up nothing', async () => {
  const { world, parts } = machine()
  world.answered = () => {
    throw new Error('Something else is wanted now')
  }
  await expect(parts.ensure(keeper, image, never)).rejects.toThrow('Something else')
  expect([...world.containers.keys()]).toEqual(['dtma-mail-state'])
  await parts.remove(keeper, never)
  expect([...world.containers.keys()]).toEqual([])
  expect([...world.volumes.keys()]).toEqual([])
})

test("S07: somebody else's container of the helper's name is left alone", async () => {
  const { world, parts } = machine()
  world.containers.set('dtma-mail-state', { Labels: { 'dtma.owner': 'o', 'dtma.helper': 'guessed' } })
  await parts.remove(keeper, never)
  expect([...world.containers.keys()]).toEqual(['dtma-mail-state'])
})
