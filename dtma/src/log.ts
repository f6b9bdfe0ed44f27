import { reasonOf } from './reason.ts'

/** Structured lines: one JSON object each, on stdout, and the last of them in memory for `GET /logs`. */
export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** The last lines, oldest first. */
  lines(): readonly string[]
  /** From now on this text appears in no line. Shorter than eight characters it is ignored: it would blot out ordinary words. */
  redact(secret: string): void
}

type Fields = Readonly<Record<string, unknown>>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[]

export interface LogDeps {
  readonly level: LogLevel
  /** Takes one line, with its end. */
  readonly write: (line: string) => void
  readonly date: () => Date
}

const KEPT_LINES = 1_000
const MAX_LINE_CHARS = 8_000
const SHORTEST_SECRET = 8
/** Come first in each line; no field takes their place. */
const HEAD = { time: '', level: '', message: '' }

export function createLog({ level, write, date }: LogDeps): Log {
  const kept: string[] = []
  const secrets = new Set<string>()

  function record(severity: LogLevel, message: string, fields: Fields = {}): void {
    if (LOG_LEVELS.indexOf(severity) < LOG_LEVELS.indexOf(level)) return
    const entry = Object.assign({}, HEAD, fields, { time: date().toISOString(), level: severity, message })
    let line = JSON.stringify(entry, (_, value: unknown) => (value instanceof Error ? describe(value) : value))
    for (const secret of secrets) line = line.replaceAll(secret, '***')
    if (line.length > MAX_LINE_CHARS)
      line = JSON.stringify({ ...entry, ...blanked(fields), cut: line.slice(0, MAX_LINE_CHARS) })
    kept.push(line)
    if (kept.length > KEPT_LINES) kept.shift()
    write(`${line}\n`)
  }

  return {
    debug: (message, fields) => record('debug', message, fields),
    info: (message, fields) => record('info', message, fields),
    warn: (message, fields) => record('warn', message, fields),
    error: (message, fields) => record('error', message, fields),
    lines: () => [...kept],
    redact: (secret) => {
      if (secret.length < SHORTEST_SECRET) return
      secrets.add(secret)
      const escaped = JSON.stringify(secret).slice(1, -1)
      if (escaped !== secret) secrets.add(escaped)
    },
  }
}

/** The failure and what caused it, without the stack of the cause: the first one says where. */
function describe(error: Error): Fields {
  const { name, message, stack, cause } = error
  return { name, message, stack, ...(cause === undefined ? {} : { cause: reasonOf(cause) }) }
}

const blanked = (fields: Fields): Fields => Object.fromEntries(Object.keys(fields).map((key) => [key, undefined]))
