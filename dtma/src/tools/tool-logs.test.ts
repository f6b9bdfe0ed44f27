import { expect, test } from 'vitest'
import { type LogLine, ToolSpec } from '../contract/tool.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import { EngineError } from '../engine/engine-error.ts'
import type { AcceptedTool } from './spec-file.ts'
import { positionOf, toolLogs } from './tool-logs.ts'

const tool = (containerId: string | undefined, transport: object = { type: 'stdio' }): AcceptedTool => ({
  name: 'mail',
  generation: 1,
  desired: 'running',
  spec: ToolSpec.parse({ package: { type: 'npm', name: 'x', version: '1.0.0' }, transport }),
  claim: 'c',
  restarts: 0,
  images: [],
  ...(containerId === undefined ? {} : { containerId }),
})
const line = (second: number): LogLine => ({
  at: `2026-01-01T00:00:0${second}.000000000Z`,
  stream: 'stderr',
  line: `${second}`,
})

/** A Docker that has these logs, and says what it was asked. */
function fakeDocker(logs: Record<string, LogLine[] | EngineError>) {
  const asked: [string, object][] = []
  const docker: Pick<DockerApi, 'containerLogs'> = {
    async *containerLogs(id, wanted) {
      asked.push([id, wanted])
      const log = logs[id] ?? []
      if (log instanceof EngineError) throw log
      yield* log
    },
  }
  return { docker, asked }
}

async function read(source: AsyncIterable<LogLine>, limit = 100): Promise<string[]> {
  const lines: string[] = []
  for await (const { line } of source) if (lines.push(line) === limit) break
  return lines
}
const never = new AbortController().signal

test('the last lines of a stdio tool are those of stderr, of an HTTP tool both', async () => {
  const { docker, asked } = fakeDocker({ c1: [line(1), line(2)] })
  const wish = { follow: false, tail: 5, since: undefined }
  expect(await read(toolLogs({ docker, find: () => tool('c1') }, 'mail', wish, never))).toEqual(['1', '2'])
  await read(toolLogs({ docker, find: () => tool('c1', { type: 'http', port: 1 }) }, 'mail', wish, never))
  expect(asked.map(([, wanted]) => wanted)).toMatchObject([
    { stdout: false, tail: 5 },
    { stdout: true, tail: 5 },
  ])
})

test('resuming leaves out what was seen, and is not cut by the number of last lines', async () => {
  const { docker, asked } = fakeDocker({ c1: [line(1), line(2), line(3)] })
  const wish = { follow: false, tail: 1, since: line(2).at }
  expect(await read(toolLogs({ docker, find: () => tool('c1') }, 'mail', wish, never))).toEqual(['3'])
  expect(asked[0]![1]).not.toHaveProperty('tail')
})

test('following goes on in the next container, without a gap and without repeating a line', async () => {
  const { docker } = fakeDocker({
    c1: [line(1), line(2)],
    c2: [line(2), line(3)],
    gone: new EngineError('not-found', 'gone'),
  })
  const containers = ['c1', undefined, 'gone', 'c2']
  const find = () => tool(containers.length > 1 ? containers.shift() : containers[0])
  const wish = { follow: true, tail: 5, since: undefined }
  expect(await read(toolLogs({ docker, find }, 'mail', wish, never), 3)).toEqual(['1', '2', '3'])
})

test('it ends when the tool is deleted, and fails when Docker is away and nobody follows', async () => {
  const { docker } = fakeDocker({ c1: new EngineError('down', 'away') })
  const wish = { follow: false, tail: 5, since: undefined }
  expect(await read(toolLogs({ docker, find: () => undefined }, 'mail', wish, never))).toEqual([])
  await expect(read(toolLogs({ docker, find: () => tool('c1') }, 'mail', wish, never))).rejects.toThrow('away')
})

test.each([
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000000Z'],
  ['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500000000Z'],
  ['2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123456789Z'],
  ['2026-13-01T00:00:00Z', undefined],
  ['yesterday', undefined],
  ['2026-01-01T00:00:00+02:00', undefined],
])('the position %s is %s', (text, position) => {
  expect(positionOf(text)).toBe(position)
})
