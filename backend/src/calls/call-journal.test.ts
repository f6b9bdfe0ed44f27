import { execFile, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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

test('a call is to be settled once it ended, in the order of ends', async () => {
  const journal = openCallJournal(newDirectory(), 'run')
  await journal.begin(begun('a'))
  await journal.begin(begun('b'))
  expect(journal.ended(10)).toEqual([])
  await journal.end('b', OK)
  await journal.end('a', { ...OK, outcome: 'tool_error' })
  expect(journal.ended(10)).toEqual([
    { ...begun('b'), ...OK },
    { ...begun('a'), ...OK, outcome: 'tool_error' },
  ])
  journal.settle(2)
  expect([journal.ended(10), journal.size]).toEqual([[], 0])
  journal.close()
})

test('what a process left is there for the next one: how it ended, or that it was interrupted', async () => {
  const directory = newDirectory()
  const first = openCallJournal(directory, 'first')
  await first.begin(begun('done'))
  await first.begin(begun('under way'))
  await first.end('done', OK)

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

test('calls of one turn of the event loop hold together, and before none of them is sent', async () => {
  const directory = newDirectory()
  const journal = openCallJournal(directory, 'run')
  const size = () => statSync(join(directory, 'run.jsonl')).size
  const both = [journal.begin(begun('a')), journal.begin(begun('b'))]
  expect(size()).toBe(0)
  await both[0]
  expect(readFileSync(join(directory, 'run.jsonl'), 'utf8').match(/"id":"."/g)).toEqual(['"id":"a"', '"id":"b"'])
  await both[1]
  journal.close()
})

test('what a full disk took only in part is not there: whoever hears that a call was not begun is right', async () => {
  const directory = newDirectory()
  const program = fileURLToPath(new URL('./fixtures/until-full.ts', import.meta.url))
  const { stdout } = await promisify(execFile)('prlimit', ['--fsize=8192', process.execPath, program, directory])
  const told = stdout.trim().split('\n')
  const begunIds = told.slice(0, -1)
  expect(begunIds.length).toBeGreaterThan(9)
  expect(told.at(-1)).toBe(`size ${begunIds.length}`)
  const left = openCallJournal(directory, 'next').ended(100)
  expect(left.map(({ id }) => id)).toEqual(begunIds)
})

test('half a line costs its own call and no other', async () => {
  const directory = newDirectory()
  await openCallJournal(directory, 'a').begin(begun('one'))
  appendFileSync(join(directory, 'a.jsonl'), '\n{"begin":{"id":"hal')
  appendFileSync(join(directory, 'a.jsonl'), `\n${JSON.stringify({ begin: begun('two') })}`)
  const ids = openCallJournal(directory, 'b')
    .ended(10)
    .map(({ id }) => id)
  expect(ids).toEqual(['one', 'two'])
})

test('it does not grow: when nothing is under way it is emptied, else it keeps what is', async () => {
  const directory = newDirectory()
  const file = join(directory, 'run.jsonl')
  const journal = openCallJournal(directory, 'run')
  await journal.begin(begun('long'))
  const calls = Array.from({ length: 12_000 }, async (_, n) => {
    await journal.begin(begun(`call ${n}`))
    await journal.end(`call ${n}`, OK)
  })
  await Promise.all(calls)
  expect(statSync(file).size).toBeGreaterThan(4 << 20)
  journal.settle(12_000)
  expect(readFileSync(file, 'utf8')).toBe(`\n${JSON.stringify({ begin: begun('long') })}`)
  expect(readdirSync(directory)).toEqual(['run.jsonl'])
  await journal.end('long', OK)
  journal.settle(1)
  expect(statSync(file).size).toBe(0)
})

test('while calls never pause it keeps those that are not settled, and no crash loses them', async () => {
  const directory = newDirectory()
  const file = join(directory, 'run.jsonl')
  const journal = openCallJournal(directory, 'run')
  const ended = Array.from({ length: 12_000 }, (_, n) => `call ${n}`)
  await Promise.all(ended.map((id) => journal.begin(begun(id))))
  await Promise.all(ended.map((id) => journal.end(id, OK)))
  await journal.begin(begun('under way'))
  const before = statSync(file).size
  journal.settle(11_990)
  expect(statSync(file).size).toBeLessThan(before / 100)
  const left = openCallJournal(directory, 'next').ended(100)
  expect(left.slice(0, 10)).toEqual(ended.slice(11_990).map((id) => ({ ...begun(id), ...OK })))
  expect(left.slice(10).map(({ id, code }) => [id, code])).toEqual([['under way', 'interrupted']])
})

test('a copy that a crash left beside the file changes nothing', async () => {
  const directory = newDirectory()
  const journal = openCallJournal(directory, 'run')
  await journal.begin(begun('a'))
  writeFileSync(join(directory, 'run.open.jsonl'), `\n${JSON.stringify({ begin: begun('a') })}`)
  await journal.end('a', OK)
  expect(openCallJournal(directory, 'next').ended(10)).toEqual([{ ...begun('a'), ...OK }])
})

test('after it is closed no call begins, and what was told before is written', async () => {
  const directory = newDirectory()
  const journal = openCallJournal(directory, 'run')
  const last = journal.begin(begun('last'))
  journal.close()
  await last
  expect(
    openCallJournal(directory, 'next')
      .ended(10)
      .map(({ id }) => id),
  ).toEqual(['last'])
  await expect(journal.begin(begun('late'))).rejects.toThrow('closed')
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
