import { ProblemError } from '@agentopia/api'
import { UsageError } from './usage-error.ts'

/** sysexits.h: 64 is a wrong command line, 69 an unreachable service, 78 a wrong configuration. */
export interface Failure {
  readonly exitCode: 1 | 64 | 69
  readonly lines: readonly string[]
  readonly json: unknown
}

/** The doctor found something; the result has told what. */
export class ChecksFailed extends Error {
  override readonly name = 'ChecksFailed'

  constructor(wrong: number, all: number) {
    super(`${wrong} of ${all} checks failed`)
  }
}

/** What people and scripts are told of an error. */
export function failureOf(error: unknown, url: string): Failure {
  if (error instanceof ProblemError) {
    const { code, kind, message } = error
    return {
      exitCode: 1,
      lines: [...told(kind.title, message), `  code  ${code}`, `  fix   ${kind.fix}`],
      json: { code, title: kind.title, detail: message, fix: kind.fix, retryable: kind.retryable },
    }
  }
  if (isUsageError(error))
    return { exitCode: 64, lines: [error.message], json: { code: 'usage', detail: error.message } }
  if (error instanceof TypeError && error.message === 'fetch failed') {
    const detail = `No control plane answers at ${url}`
    return {
      exitCode: 69,
      lines: [detail, '  fix   Start it with `npm start`, or set AGENTOPIA_URL.'],
      json: { code: 'control-plane-unreachable', detail },
    }
  }
  if (error instanceof ChecksFailed)
    return { exitCode: 1, lines: [error.message], json: { code: 'checks-failed', detail: error.message } }
  const detail = error instanceof Error ? error.message : String(error)
  return { exitCode: 1, lines: [detail], json: { code: 'internal', detail } }
}

/** The fields of a refused request, one a line, by their own names; anything else on the line of the title. */
function told(title: string, message: string): string[] {
  const fields = message.split('\n').map((line) => line.replace(/^(?:params|query|body|config)\.(?=[^:]+: )/, ''))
  return fields.length === 1 ? [`${title}: ${fields[0]}`] : [`${title}:`, ...fields.map((line) => `  ${line}`)]
}

/** Ours, and citty's own: unknown command, missing argument, wrong option. */
const isUsageError = (error: unknown): error is Error =>
  error instanceof UsageError || (error instanceof Error && error.name === 'CLIError')
