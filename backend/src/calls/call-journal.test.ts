import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { openCallJournal } from './call-journal.ts'
import type { BegunCall, CallEnd } from './call-record.ts'

const root = mkdtempSync(join(tmpdir(), 'agentopia-journal-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let directories = 0
const newDirectory = () => join(root, String(++directories))

const begun = (id: string): BegunCall => ({
  id,
  accountId: 'account_1',
  agentId: 'agent_1',
  agentName: 'helper',
  instanceId: 'inst_1',
  instanceName: 'demo',
  capability: 'echo',
  via: 'mcp',
  instanceGeneration: 1,
  specDigest: '1'.repeat(64),
  capabilityDigest: '2'.repeat(64),
  startedAt: '2026-01-01T00:00:00.000Z',
  argumentDigest: '0'.repeat(64),
  argumentBytes: 2,
})
const OK: CallEnd = { outcome: 'ok', code: null, durationMs: 1.5, resultBytes: 30, resultDigest: '3'.repeat(64) }

test('a call is to be settled once it ended, in the order of ends', () => {
  const journal = openCallJournal(newDirectory(), 'run')
  journal.begin(begun('a'))
  journal.begin(begun('b'))
  expect(journal.ended(10)).toEqual([])
  journal.end('b', OK)
  journal.end('a', { ...OK, outcome: 'tool_error' })
  expect(journal.ended(10)).toEqual([
    { ...begun('b'), ...OK },
    { ...begun('a'), ...OK, outcome: 'tool_error' },
  ])
  journal.settle(2)
  expect([journal.ended(10), journal.size]).toEqual([[], 0])
  journal.close()
})

test('what a process left is there for the next one: how it ended, or that it was interrupted', () => {
  const directory = newDirectory()
  const first = openCallJournal(directory, 'first')
  first.begin(begun('done'))
  first.begin(begun('under way'))
  first.end('done', OK)

  const second = openCallJournal(directory, 'second')
  expect(second.ended(10)).toEqual([
    { ...begun('done'), ...OK },
    {
      ...begun('under way'),
      outcome: 'failed',
      code: 'interrupted',
      durationMs: 0,
      resultBytes: null,
      resultDigest: null,
    },
  ])
  second.settle(1)
  expect(readdirSync(directory)).toContain('first.jsonl')
  second.settle(1)
  expect(readdirSync(directory)).toEqual(['second.jsonl'])
  second.close()
  expect(readdirSync(directory)).toEqual([])
})

test('half a line costs its own call and no other', () => {
  const directory = newDirectory()
  openCallJournal(directory, 'a').begin(begun('one'))
  appendFileSync(join(directory, 'a.jsonl'), '\n{"begin":{"id":"hal')
  appendFileSync(join(directory, 'a.jsonl'), `\n${JSON.stringify({ begin: begun('two') })}`)
  const ids = openCallJournal(directory, 'b')
    .ended(10)
    .map(({ id }) => id)
  expect(ids).toEqual(['one', 'two'])
})

test('it does not grow: when nothing is under way it is emptied, else it keeps what is', () => {
  const directory = newDirectory()
  const file = join(directory, 'run.jsonl')
  const journal = openCallJournal(directory, 'run')
  journal.begin(begun('long'))
  for (let n = 0; n < 12_000; n += 1) {
    journal.begin(begun(`call ${n}`))
    journal.end(`call ${n}`, OK)
  }
  expect(statSync(file).size).toBeGreaterThan(4 << 20)
  journal.settle(12_000)
  expect(readFileSync(file, 'utf8')).toBe(`\n${JSON.stringify({ begin: begun('long') })}`)
  expect(readdirSync(directory)).toEqual(['run.jsonl'])
  journal.end('long', OK)
  journal.settle(1)
  expect(statSync(file).size).toBe(0)
})

test('while calls never pause it keeps those that are not settled, and no crash loses them', () => {
  const directory = newDirectory()
  const file = join(directory, 'run.jsonl')
  const journal = openCallJournal(directory, 'run')
  const ended = Array.from({ length: 12_000 }, (_, n) => `call ${n}`)
  for (const id of ended) journal.begin(begun(id))
  for (const id of ended) journal.end(id, OK)
  journal.begin(begun('under way'))
  const before = statSync(file).size
  journal.settle(11_990)
  expect(statSync(file).size).toBeLessThan(before / 100)
  const left = openCallJournal(directory, 'next').ended(100)
  expect(left.slice(0, 10)).toEqual(ended.slice(11_990).map((id) => ({ ...begun(id), ...OK })))
  expect(left.slice(10).map(({ id, code }) => [id, code])).toEqual([['under way', 'interrupted']])
})

test('a copy that a crash left beside the file changes nothing', () => {
  const directory = newDirectory()
  const journal = openCallJournal(directory, 'run')
  journal.begin(begun('a'))
  writeFileSync(join(directory, 'run.open.jsonl'), `\n${JSON.stringify({ begin: begun('a') })}`)
  journal.end('a', OK)
  expect(openCallJournal(directory, 'next').ended(10)).toEqual([{ ...begun('a'), ...OK }])
})

test('after it is closed no call begins', () => {
  const journal = openCallJournal(newDirectory(), 'run')
  journal.close()
  expect(() => journal.begin(begun('late'))).toThrow('closed')
})

test('kill -9 at any moment loses no call: each that was begun is there once', async () => {
  const directory = newDirectory()
  const told = new Set<string>()
  for (let round = 0; round < 5; round += 1) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./fixtures/caller.ts', import.meta.url)), directory])
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.length > 3_000) child.kill('SIGKILL')
    })
    await new Promise((resolve) => child.once('close', resolve))
    for (const line of text.split('\n').slice(0, -1)) told.add(line)
  }
  const ended = openCallJournal(directory, 'last').ended(1_000_000)
  const ids = ended.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const known = new Map(ended.map((record) => [record.id, record]))
  expect(told.size).toBeGreaterThan(100)
  for (const line of told) {
    const [what, id] = line.split(' ') as [string, string]
    expect([line, known.get(id)?.outcome]).toEqual([line, what === 'ended' ? 'ok' : expect.anything()])
  }
})
