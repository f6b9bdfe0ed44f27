import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type Format, print, type Table } from './report.ts'

/** One run of a benchmark. */
export interface Run {
  readonly rounds: number
  /** Aborts at Ctrl-C: no further window is to begin. */
  readonly signal: AbortSignal
  /** Whatever is started is handed in at once; the last one is taken away first. */
  cleanUp(act: () => unknown): void
}

/** For what is under way at Ctrl-C: after that it is taken away as far as it has come. */
const GRACE_MS = 20_000

/**
 * Runs a benchmark and prints its tables. What it started is gone afterwards, also after an error, SIGINT or SIGTERM.
 * Arguments: how many rounds, or how many of whatever is measured, and `--json` or `--markdown`.
 */
export async function run(defaultRounds: number, measure: (run: Run) => Promise<readonly Table[]>): Promise<void> {
  const { rounds, format } = argumentsOf(process.argv.slice(2), defaultRounds)
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)))
  const acts: (() => unknown)[] = []
  let closed = false
  const cleanUp = (act: () => unknown) => {
    if (closed) void Promise.resolve(act()).catch(report)
    else acts.push(act)
  }
  try {
    const work = measure({ rounds, signal: interrupted.signal, cleanUp })
    print(await withGrace(work, interrupted.signal), format)
  } catch (error) {
    report(error)
  } finally {
    closed = true
    for (const act of acts.reverse()) await Promise.resolve(act()).catch(report)
  }
  process.exit()
}

function argumentsOf(args: readonly string[], defaultRounds: number): { rounds: number; format: Format } {
  const rounds = args.find((arg) => !arg.startsWith('--')) ?? String(defaultRounds)
  const wrong = args.find((arg) => arg.startsWith('--') && arg !== '--json' && arg !== '--markdown')
  if (!/^[1-9]\d{0,4}$/.test(rounds) || wrong !== undefined)
    throw new Error(`${wrong ?? rounds}: give a number from 1 to 99999, and --json or --markdown`)
  return {
    rounds: Number(rounds),
    format: args.includes('--json') ? 'json' : args.includes('--markdown') ? 'markdown' : 'text',
  }
}

/** The work; after the signal it may come to the end of its present step. @throws The signal's reason. */
async function withGrace<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  let late: NodeJS.Timeout | undefined
  signal.addEventListener('abort', () => {
    late = setTimeout(() => reject(signal.reason), GRACE_MS)
  })
  const result = await Promise.race([work, promise]).finally(() => clearTimeout(late))
  signal.throwIfAborted()
  return result
}

function report(error: unknown): void {
  console.error(error)
  process.exitCode = 1
}

/** So many times, each in another order: whatever else the machine does hits no one more than another. */
export async function interleaved<Each>(
  { rounds, signal }: Run,
  list: readonly Each[],
  act: (each: Each) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1)
    for (const each of shuffled(list)) {
      signal.throwIfAborted()
      await act(each)
    }
}

const shuffled = <Each>(list: readonly Each[]): Each[] =>
  list
    .map((each) => [Math.random(), each] as const)
    .sort(([a], [b]) => a - b)
    .map(([, each]) => each)

/** Ends a process, and returns when it has. */
export async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  child.kill(signal)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
