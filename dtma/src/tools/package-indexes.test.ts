import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLog } from '../log.ts'
import { openPackageIndexes } from './package-indexes.ts'

const log = createLog({ level: 'error', write: () => undefined, date: () => new Date() })
const nothing = { npm: undefined, pypi: undefined }
let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-indexes-'))
})
afterEach(() => rm(directory, { recursive: true }))

const open = (configured: Parameters<typeof openPackageIndexes>[0] = nothing) =>
  openPackageIndexes(configured, directory, log)

test('packages come from where the control plane says, also after a restart without it', async () => {
  const first = await open()
  expect([first.npm, first.pypi]).toEqual([undefined, undefined])
  await first.hear({ npm: 'https://npm.example' })
  const again = await open()
  for (const indexes of [first, again]) expect([indexes.npm, indexes.pypi]).toEqual(['https://npm.example', undefined])
  await again.hear({})
  expect((await open()).npm).toBeUndefined()
})

test('what this machine was configured with is not overruled', async () => {
  const indexes = await open({ npm: 'https://own.example', pypi: undefined })
  await indexes.hear({ npm: 'https://npm.example', pypi: 'https://pypi.example' })
  expect([indexes.npm, indexes.pypi]).toEqual(['https://own.example', 'https://pypi.example'])
})

test('what could not be kept is kept the next time that it is said', async () => {
  const indexes = await open()
  const inTheWay = join(directory, `package-indexes.json.${process.pid}`)
  await mkdir(inTheWay)
  await expect(indexes.hear({ npm: 'https://npm.example' })).rejects.toThrow()
  expect(indexes.npm).toBe('https://npm.example')
  await rmdir(inTheWay)
  await indexes.hear({ npm: 'https://npm.example' })
  expect((await open()).npm).toBe('https://npm.example')
})
