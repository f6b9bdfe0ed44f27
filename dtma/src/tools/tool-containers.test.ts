import { expect, test } from 'vitest'
import type { DockerApi } from '../engine/docker.api.ts'
import type { ContainerDetails } from '../engine/docker.types.ts'
import type { AcceptedTool } from './spec-file.ts'
import { createToolContainers, oursAmong } from './tool-containers.ts'
import type { ToolParts } from './tool-parts.ts'

const container = (Id: string, labels: Record<string, string> = {}) => ({
  Id,
  Names: ['/dtma-mail-1'],
  State: 'running',
  Labels: { 'dtma.owner': 'me', 'dtma.claim': 'c', 'dtma.instance': 'mail', ...labels },
})

/** What is found of a tool whose container has this id, on a machine where these are; nobody lists them. */
function foundAmong(there: readonly ReturnType<typeof container>[], containerId: string, status = 'running') {
  const docker = {
    async inspectContainer(id: string): Promise<ContainerDetails | undefined> {
      const one = there.find(({ Id }) => Id === id)
      const State = {
        Status: status,
        Running: true,
        OOMKilled: false,
        ExitCode: 0,
        Pid: 1,
        StartedAt: '',
        Error: '',
      }
      return one && ({ Id: id, Name: '', State, Config: { Labels: one.Labels } } as unknown as ContainerDetails)
    },
  } as unknown as DockerApi
  const containers = createToolContainers({ docker, parts: {} as ToolParts, owner: 'me' })
  return containers.find({ claim: 'c', containerId } as AcceptedTool, new AbortController().signal)
}

test('S07: once we know the id of our container, a twin with all of its labels is not ours', async () => {
  const twin = container('twin')
  expect((await foundAmong([twin, container('real')], 'real'))?.observed.id).toBe('real')
  expect(await foundAmong([twin], 'real')).toBeUndefined()
})

test('what has the id that we know is ours by its labels alone', async () => {
  expect(await foundAmong([container('real', { 'dtma.claim': 'guessed' })], 'real')).toBeUndefined()
  expect(await foundAmong([container('real', { 'dtma.owner': 'other' })], 'real')).toBeUndefined()
})

test.each([
  ['created', 'created'],
  ['running', 'running'],
  // Only where somebody has changed its restart policy, by which it is told from what was asked for.
  ['restarting', 'running'],
  ['paused', 'paused'],
  ['exited', 'exited'],
  ['dead', 'dead'],
  ['removing', 'removing'],
])('a container that Docker calls %s is taken for %s', async (status, state) => {
  expect((await foundAmong([container('real')], 'real', status))?.observed.state).toBe(state)
})

test('when we died before noting the id, the claim proves it', () => {
  expect(oursAmong([container('new')], { claim: 'c' }, 'me')?.Id).toBe('new')
  expect(oursAmong([container('x', { 'dtma.claim': 'guessed' })], { claim: 'c' }, 'me')).toBeUndefined()
  expect(oursAmong([container('x', { 'dtma.owner': 'other' })], { claim: 'c' }, 'me')).toBeUndefined()
})

test('when two claim to be it, none is touched', () => {
  expect(() => oursAmong([container('a'), container('b')], { claim: 'c' }, 'me')).toThrow('none is touched')
})
