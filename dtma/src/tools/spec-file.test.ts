import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { type AcceptedTool, openSpecFiles, seal, unseal } from './spec-file.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-state-'))
})
afterEach(() => rm(directory, { recursive: true }))

const tool = (generation: number, name = 'mail'): AcceptedTool => ({
  name,
  generation,
  desired: 'running',
  spec: ToolSpec.parse({ package: { type: 'npm', name: 'x', version: '1.0.0' }, transport: { type: 'stdio' } }),
  claim: 'c1',
  restarts: 0,
  images: [],
})
const fileOf = (name: string) => join(directory, 'tools', name)

test('what was saved is there after a restart, and the owner stays the same', async () => {
  const first = await openSpecFiles(directory)
  await first.files.save(tool(1))
  await first.files.save(tool(2))
  await first.files.save(tool(1, 'files'))

  const second = await openSpecFiles(directory)
  expect(second.tools.map(({ name, generation }) => [name, generation])).toEqual([
    ['files', 1],
    ['mail', 2],
  ])
  expect(second.warnings).toEqual([])
  expect(second.files.owner).toBe(first.files.owner)
})

test.each([
  ['cut short', (text: string) => text.slice(0, text.length / 2)],
  ['empty', () => ''],
  ['changed by one letter', (text: string) => text.replace('"desired":"running"', '"desired":"runnin9"')],
])('a file that is %s gives way to the one before it, with a warning', async (_, damage) => {
  const { files } = await openSpecFiles(directory)
  await files.save(tool(1))
  await files.save(tool(2))
  await writeFile(fileOf('mail.json'), damage(await readFile(fileOf('mail.json'), 'utf8')))

  const { tools, warnings } = await openSpecFiles(directory)
  expect(tools.map(({ generation }) => generation)).toEqual([1])
  expect(warnings).toEqual(['The state of tool mail was damaged: generation 1, written before, is used'])
})

test('when both are damaged the tool is reported, and nothing else suffers', async () => {
  const { files } = await openSpecFiles(directory)
  await files.save(tool(1))
  await files.save(tool(1, 'files'))
  await writeFile(fileOf('mail.json'), 'x')

  const { tools, warnings } = await openSpecFiles(directory)
  expect(tools.map(({ name }) => name)).toEqual(['files'])
  expect(warnings).toHaveLength(1)
})

test('a write that a crash cut off leaves the file as it was', async () => {
  const { files } = await openSpecFiles(directory)
  await files.save(tool(1))
  await writeFile(fileOf('mail.json.new'), seal(tool(2)).slice(0, 40))
  expect((await openSpecFiles(directory)).tools.map(({ generation }) => generation)).toEqual([1])
})

test('what was removed does not come back', async () => {
  const { files } = await openSpecFiles(directory)
  await files.save(tool(1))
  await files.save(tool(2))
  await files.remove('mail')
  await files.remove('mail')
  expect((await openSpecFiles(directory)).tools).toEqual([])
  expect(await readdir(join(directory, 'tools'))).toEqual([])
})

test('no damaged text is ever taken for a tool', () => {
  const sealed = seal(tool(7))
  fc.assert(
    fc.property(fc.nat(sealed.length - 2), fc.integer({ min: 32, max: 126 }), (at, code) => {
      const damaged = sealed.slice(0, at) + String.fromCharCode(code) + sealed.slice(at + 1)
      if (damaged !== sealed) expect(unseal(damaged)).toBeUndefined()
    }),
  )
})
