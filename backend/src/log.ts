import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino'
import { causesOf } from './causes.ts'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'> & { child(fields: Record<string, unknown>): Log }

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** For people at a terminal instead of programs. */
  readonly plain?: boolean
  /** Where lines of JSON go; absent: to stdout. */
  readonly to?: DestinationStream
}

const SECRET = ['authorization', 'cookie', 'token', 'password', 'secret']

/** JSON lines, one event per line. The message is a constant, facts are fields. */
export function createLog({ level, plain = false, to }: LogOptions): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET.flatMap((name) => [name, `*.${name}`]), censor: '***' },
    serializers: { err: describeError },
  }
  if (plain) return pino(options, plainLines(process.stdout))
  return to ? pino(options, to) : pino(options)
}

/**
 * An error with all that it came from. A failed statement carries its parameters, which may be secret: wherever it stands among them,
 * only what the database said of it is logged.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const told = causesOf(error).filter((cause) => !isFailedStatement(cause))
  const [first] = told
  if (!first) return { type: error.name, message: 'a statement failed' }
  const code = (first as { code?: unknown }).code
  return {
    type: stdSerializers.err(first).type,
    message: told.map(({ message }) => message).join(': '),
    stack: told.map(({ stack }) => stack).join('\ncaused by: '),
    ...(typeof code === 'string' ? { code } : {}),
  }
}

const isFailedStatement = (error: Error): boolean => 'query' in error && 'params' in error

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR' }

const plainLines = (out: { write(text: string): unknown }): DestinationStream => ({
  write(line) {
    const { time, level, msg, err, ...fields } = JSON.parse(line) as {
      readonly time: string
      readonly level: number
      readonly msg: string
      readonly err?: { readonly message?: string }
    }
    const facts = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    const cause = err?.message ? [`(${err.message})`] : []
    out.write(`${[time.slice(11, 19), (LEVELS[level] ?? '').padEnd(5), msg, ...facts, ...cause].join(' ')}\n`)
  },
})
