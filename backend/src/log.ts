import { type Logger, pino } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'> & { child(fields: Record<string, unknown>): Log }

/** JSON lines to stdout, one event per line. The message is a constant, facts are fields. */
export const createLog = (level: 'debug' | 'info' | 'warn' | 'error'): Log =>
  pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['*.authorization', '*.cookie', '*.token', '*.password', '*.secret'], censor: '***' },
  })
