import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPrograms, type Programs } from './programs.ts'

let directory = ''
let programs: Programs
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-programs-'))
  programs = createPrograms(directory)
})
afterEach(async () => {
  await rm(directory, { recursive: true })
  await rm(`${directory}.gz`, { force: true })
})

const there = async () => (await readdir(directory)).toSorted()
/** What was fetched. */
async function archive(text: string, bytes = gzipSync(text)): Promise<string> {
  const path = `${directory}.gz`
  await writeFile(path, bytes)
  return path
}
const good = '// agentopia-dtma 2.0.0\nrun()\n'

test('what was taken in is a program of its own, and not the current one until it is made so', async () => {
  await programs.add(await archive(good), 'two', '2.0.0')
  expect(await readFile(programs.fileOf('two'), 'utf8')).toBe(good)
  expect(await programs.current()).toBeUndefined()
  await programs.makeCurrent('two')
  expect(await programs.current()).toBe('two')
  expect(await readFile(programs.fileOf('current'), 'utf8')).toBe(good)
  expect(await there()).toEqual(['current', 'two'])
})

test('everything but the current one goes, also what a crash has left', async () => {
  await programs.add(await archive(good), 'one', '2.0.0')
  await programs.makeCurrent('one')
  await programs.add(await archive(good), 'two', '2.0.0')
  await programs.add(await archive(good), 'three.new', '2.0.0')
  await programs.clear()
  expect(await there()).toEqual(['current', 'one'])
  await expect(programs.remove('one')).rejects.toThrow('the program that runs')
})

test('a bundle that says it is another version, or nothing, is refused, and nothing of it stays', async () => {
  await expect(programs.add(await archive(good), 'x', '3.0.0')).rejects.toMatchObject({ reason: 'wrong_version' })
  await expect(programs.add(await archive('run()\n'), 'x', '3.0.0')).rejects.toMatchObject({ reason: 'wrong_version' })
  expect(await there()).toEqual([])
})

test('U03 a bundle that is cut off or was damaged is refused, and nothing of it stays', async () => {
  const whole = gzipSync(good)
  const cut = await archive('', whole.subarray(0, whole.length - 9))
  await expect(programs.add(cut, 'x', '2.0.0')).rejects.toMatchObject({ reason: 'load_failed' })
  const damaged = Buffer.from(whole)
  damaged[damaged.length - 5]! ^= 0xff // of the checksum
  await expect(programs.add(await archive('', damaged), 'x', '2.0.0')).rejects.toMatchObject({ reason: 'load_failed' })
  expect(await there()).toEqual([])
})

test('a bundle that unpacks to more than any program is refused', async () => {
  const bomb = await archive('', gzipSync(Buffer.alloc(65 * 1024 * 1024)))
  await expect(programs.add(bomb, 'x', '2.0.0')).rejects.toMatchObject({ reason: 'load_failed' })
})
