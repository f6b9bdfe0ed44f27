import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadMasterKeys, replaceKey } from './master-key.file.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'agentopia-key-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

test('a key is made once, for its owner alone', () => {
  const { current, others } = loadMasterKeys(join(dataDir, 'new'), {})
  expect([current.length, others]).toEqual([32, []])
  expect(loadMasterKeys(join(dataDir, 'new'), {}).current).toEqual(current)
  expect(statSync(join(dataDir, 'new', 'master.key')).mode & 0o777).toBe(0o600)
})

test('a key that is given counts alone, with the other that is given', () => {
  loadMasterKeys(dataDir, {})
  expect(loadMasterKeys(dataDir, { masterKey: a })).toEqual({ current: a, others: [] })
  expect(loadMasterKeys(dataDir, { masterKey: a, otherMasterKeys: [b] })).toEqual({ current: a, others: [b] })
})

test('replaced, the key before is kept beside the new one, and opens; nothing else is left', () => {
  const { current: before } = loadMasterKeys(dataDir, {})
  replaceKey(dataDir, before)
  const { current, others } = loadMasterKeys(dataDir, { otherMasterKeys: [b] })
  expect(current).not.toEqual(before)
  expect(others).toEqual([before, b])
  expect(readdirSync(dataDir).sort()).toEqual(['master.key', 'master.key.previous'])
  for (const name of readdirSync(dataDir)) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600)
})

test('R09 cut off before the new key is in its place, everything is as it was', () => {
  const { current } = loadMasterKeys(dataDir, {})
  mkdirSync(join(dataDir, 'master.key.next')) // so that the second write fails
  const cut = () => replaceKey(dataDir, current)
  expect(cut).toThrow()
  expect(loadMasterKeys(dataDir, {})).toEqual({ current, others: [current] })
  rmSync(join(dataDir, 'master.key.next'), { recursive: true })
  expect(cut).not.toThrow()
  expect(loadMasterKeys(dataDir, {}).others).toEqual([current])
})

test.each(['master.key', 'master.key.previous'])('%s is refused when it is damaged, and left as it is', (name) => {
  loadMasterKeys(dataDir, {})
  writeFileSync(join(dataDir, name), 'too short')
  expect(() => loadMasterKeys(dataDir, {})).toThrow(`${name} does not hold 32 bytes`)
  expect(readFileSync(join(dataDir, name), 'utf8')).toBe('too short')
})
