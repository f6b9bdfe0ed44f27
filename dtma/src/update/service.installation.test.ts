import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Release } from '../contract/release.ts'
import { createPrograms, type Programs } from './programs.ts'
import { serviceInstallation } from './service.installation.ts'

let directory = ''
let programs: Programs
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-installation-'))
  programs = createPrograms(directory)
  await writeFile(archive(), gzipSync(GOOD))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
  await rm(archive())
})

const archive = () => `${directory}.gz`
const GOOD = '// agentopia-dtma 2.0.0\nrun()\n'
const release: Release = { product: 'dtma', version: '2.0.0', bundle: { sha256: 'a'.repeat(64), size: 9 }, again: 'x' }
const prepared = async (): Promise<string> => {
  const installation = serviceInstallation({
    directory,
    baseUrl: 'http://control-plane',
    onTrial: false,
    restart: () => undefined,
  })
  const to = await installation.prepare(archive(), release, AbortSignal.timeout(5_000))
  return (to as { program: string }).program
}

test('U03 the same version again is a program beside the present one, which stays as it is until the new one is proven', async () => {
  const first = await prepared()
  await programs.makeCurrent(first)
  await writeFile(programs.fileOf(first), 'damaged')

  const second = await prepared()
  expect(second).not.toBe(first)
  expect(await prepared()).toBe(second) // killed meanwhile: it begins again
  expect(await programs.current()).toBe(first)
  expect(await readFile(programs.fileOf(first), 'utf8')).toBe('damaged')
  expect(await readFile(programs.fileOf(second), 'utf8')).toBe(GOOD)

  await programs.makeCurrent(second)
  await programs.clear()
  expect(await prepared()).toBe(first)
  expect(await programs.current()).toBe(second)
})
