import {
  appendFileSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type BegunCall, type CallEnd, type CallRecord, INTERRUPTED } from './call-record.ts'
import { gatherLines } from './gathered-lines.ts'

/**
 * Calls on their way into the database, in a file of this machine: a line before a call is made and one after it. What was
 * written survives the end of this process, however it ends; writing a line takes microseconds, a commit milliseconds.
 */
export interface CallJournal {
  /** Resolves when it is written. @throws {Error} When it cannot be: then the call must not be made. */
  begin(call: BegunCall): Promise<void>
  /** Known at once, written when it resolves. @throws {Error} When it cannot be written; it will reach the database all the same. */
  end(id: string, end: CallEnd): Promise<void>
  /** Calls that ended and are not settled yet, oldest first. */
  ended(most: number): readonly CallRecord[]
  /** The oldest so many are in the database. */
  settle(count: number): void
  /** Calls that the journal holds, made and under way. */
  readonly size: number
  close(): void
}

type Line = { readonly begin: BegunCall } | { readonly id: string; readonly end: CallEnd }

/** A file that has grown by so much is shortened, to what is not settled yet. */
const ROTATE_BYTES = 4 << 20

/**
 * Opens the journal in a directory that no other running process uses, with what an earlier one left in it.
 * @param run Names the file; never used before.
 */
export function openCallJournal(directory: string, run: string): CallJournal {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const leftFiles = readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(directory, name))
  const path = join(directory, `${run}.jsonl`)
  const file = openSync(path, 'a', 0o600)
  const open = new Map<string, BegunCall>()
  let queue: CallRecord[] = readCalls(leftFiles)
  let leftCalls = queue.length
  let bytes = 0
  /** Length after the file was shortened last. */
  let kept = 0
  let closed = false

  const lines = gatherLines((text) => {
    const piece = Buffer.from(text)
    const taken = writeSync(file, piece)
    if (taken !== piece.length) {
      ftruncateSync(file, fstatSync(file).size - taken) // no call is there of which its caller hears that it is not
      throw new Error('the disk took only a part of the lines')
    }
    bytes += piece.length
  })

  function write(line: Line): Promise<void> {
    if (closed) return Promise.reject(new Error('the journal is closed'))
    return lines.add(JSON.stringify(line))
  }

  /** Nothing in the file is needed any more but the calls that are not settled. */
  function shorten(): void {
    lines.flush()
    const needed: Line[] = [
      ...queue.flatMap((record): Line[] => [{ begin: record }, { id: record.id, end: record }]),
      ...[...open.values()].map((begin) => ({ begin })),
    ]
    const text = needed.map((line) => `\n${JSON.stringify(line)}`).join('')
    // First what is needed into a file beside it, which a crash in between would find; then the old goes.
    const beside = join(directory, `${run}.open.jsonl`)
    if (text !== '') appendFileSync(beside, text, { mode: 0o600 })
    ftruncateSync(file)
    if (text !== '') {
      writeSync(file, text)
      unlinkSync(beside)
    }
    bytes = Buffer.byteLength(text)
    kept = bytes
  }

  return {
    async begin(call) {
      open.set(call.id, call)
      try {
        await write({ begin: call })
      } catch (error) {
        open.delete(call.id)
        throw error
      }
    },
    async end(id, end) {
      const call = open.get(id)
      if (!call) throw new Error(`the call ${id} was not begun`)
      open.delete(id)
      queue.push({ ...call, ...end })
      await write({ id, end })
    },
    ended: (most) => queue.slice(0, most),
    settle(count) {
      queue = queue.slice(count)
      leftCalls -= count
      if (leftCalls <= 0) for (const left of leftFiles.splice(0)) unlinkSync(left)
      const isEmpty = queue.length + open.size === 0
      if (isEmpty ? bytes > 0 : bytes > ROTATE_BYTES + 2 * kept) shorten()
    },
    get size() {
      return queue.length + open.size
    },
    close() {
      closed = true
      lines.flush()
      closeSync(file)
      if (queue.length + open.size === 0 && leftFiles.length === 0) unlinkSync(path)
    },
  }
}

/** The calls in the journals of processes that are no more; one without an end was interrupted. */
function readCalls(paths: readonly string[]): CallRecord[] {
  const begun = new Map<string, BegunCall>()
  const ends = new Map<string, CallEnd>()
  for (const path of paths)
    for (const text of readFileSync(path, 'utf8').split('\n')) {
      const line = parse(text)
      if (line && 'begin' in line) begun.set(line.begin.id, line.begin)
      else if (line) ends.set(line.id, line.end)
    }
  return [...begun.values()].map((call) => ({ ...call, ...(ends.get(call.id) ?? INTERRUPTED) }))
}

function parse(text: string): Line | undefined {
  try {
    return text === '' ? undefined : (JSON.parse(text) as Line)
  } catch {
    return undefined // half a line, of a full disk: its call was not made
  }
}
