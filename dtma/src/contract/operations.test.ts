import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DTMA_OPERATIONS } from './operations.ts'

/** Starts the program of a signed release, and nothing else: Node with one file and fixed words. */
const TRIAL = join('update', 'trial.ts')

test('S16: no operation runs a command: none is named so, and DTMA begins no process but that of its successor', () => {
  for (const { id, path } of DTMA_OPERATIONS) expect(`${id} ${path}`).not.toMatch(/shell|ssh|exec(?!ute)|command|eval/i)
  const root = join(import.meta.dirname, '..')
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (path) => /(?<!\.test|\.testing|\.script)\.ts$/.test(path), // scripts run in containers
  )
  expect(sources.length).toBeGreaterThan(60)
  const guilty = sources.filter((path) =>
    /node:child_process|process\.binding|new Worker\(|\beval\(/.test(readFileSync(join(root, path), 'utf8')),
  )
  expect(guilty).toEqual([TRIAL])
})

test('E12: every operation but /health needs the key of this toolbox', () => {
  expect(DTMA_OPERATIONS.filter(({ auth }) => auth !== 'toolbox').map(({ path }) => path)).toEqual(['/health'])
})
