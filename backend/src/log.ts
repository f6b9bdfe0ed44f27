import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'> & { child(fields: Record<string, unknown>): Log }

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** For people at a terminal instead of programs. */
  readonly plain?: boolean
}

/** JSON lines to stdout, one event per line. The message is a constant, facts are fields. */
export function createLog({ level, plain = false }: LogOptions): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['*.authorization', '*.cookie', '*.token', '*.password', '*.secret'], censor: '***' },
    serializers: { err: describeError },
  }
  return plain ? pino(options, plainLines(process.stdout)) : pino(options)
}

/** A failed statement carries its parameters, which may be secret: only what the database said of it is logged. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if ('query' in error && 'params' in error && error.cause instanceof Error) return describeError(error.cause)
  const { type, message, stack } = stdSerializers.err(error)
  const code = (error as { code?: unknown }).code
  return { type, message, stack, ...(typeof code === 'string' ? { code } : {}) }
}

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
