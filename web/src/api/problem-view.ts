import { ProblemDocument, ProblemError } from '@agentopia/api'
import { fieldProblemsOf } from './field-problems.ts'
import { PageFailure } from './page-failure.ts'
import { PasskeyNotGiven } from './passkey-not-given.ts'
import { Unreachable } from './unreachable.ts'

/** What people are shown of a failure. */
export interface ProblemView {
  readonly title: string
  readonly detail: string
  readonly fix: string
  readonly code: string
  /** Identifier of the occurrence, as it is in the log of the control plane. Absent when no server answered. */
  readonly instance?: string
  readonly retryable: boolean
  /** The control plane could not be asked at all. */
  readonly offline: boolean
}

/** Decides how a failure is told. Every error has an answer; none is shown raw. */
export function problemViewOf(error: unknown): ProblemView {
  if (error instanceof ProblemError) return ofProblem(error)
  if (error instanceof PasskeyNotGiven)
    return {
      title: 'The browser gave no passkey',
      detail: error.message,
      fix: 'Try again, or sign in another way.',
      code: 'no-passkey',
      retryable: false,
      offline: false,
    }
  // What the network says is told apart where it is asked: any other is a bug of ours.
  if (error instanceof PageFailure || error instanceof TypeError)
    return {
      title: 'The page failed',
      detail: firstLine(error.message),
      fix: 'Load the page again. What was asked for may have been recorded: look at the current state before you repeat it.',
      code: 'page-failed',
      retryable: false,
      offline: false,
    }
  if (isNamed(error, 'TimeoutError'))
    return {
      title: 'The control plane did not answer in time',
      detail: 'The request was given up. What it asked for may still have been recorded.',
      fix: 'Look at the current state before you repeat it.',
      code: 'no-answer',
      retryable: true,
      offline: true,
    }
  if (error instanceof Unreachable)
    return {
      title: 'The control plane does not answer',
      detail: 'No connection could be made. Toolboxes and tools keep running without it.',
      fix: 'The page connects again by itself; if it stays away, look whether the control plane runs.',
      code: 'offline',
      retryable: true,
      offline: true,
    }
  return {
    title: 'The page did not understand an answer',
    detail: error instanceof Error ? firstLine(error.message) : 'An unknown failure.',
    fix: 'Reload the page: it may be older than the control plane.',
    code: 'unexpected-answer',
    retryable: false,
    offline: false,
  }
}

function ofProblem({ message, code, kind }: ProblemError): ProblemView {
  if (code === 'invalid-request' && /^params[.:]/.test(message)) return NO_SUCH_THING
  const document = ProblemDocument.safeParse(kind)
  const { title, fix, retryable, status } = kind
  return {
    title: code === 'invalid-request' ? 'The input was not accepted' : title,
    detail: code === 'invalid-request' ? inputDetail(message) : message,
    fix,
    code,
    ...(document.success ? { instance: document.data.instance } : {}),
    retryable,
    offline: code === 'no-problem-document' && status >= 502,
  }
}

/** `body.email: must be an e-mail address` → `email: must be an e-mail address`. */
function inputDetail(message: string): string {
  const { fields, rest } = fieldProblemsOf(message)
  const named = Object.entries(fields).map(([field, problem]) => `${field}: ${problem}`)
  return [...named, ...rest].join('; ') || message
}

/** The ids in a request are those of the page's address: one that no thing can have was mistyped there. */
const NO_SUCH_THING: ProblemView = {
  title: 'There is no such thing',
  detail: 'The address of this page names something that cannot exist.',
  fix: 'Check the address, or go on from the overview.',
  code: 'not-found',
  retryable: false,
  offline: false,
}

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name
const firstLine = (text: string): string => (text.split('\n')[0] ?? '').slice(0, 300)

/** The problem as plain text, for a report. */
export const problemText = ({ title, detail, fix, code, instance }: ProblemView): string =>
  [title, detail, fix, `code: ${code}`, ...(instance ? [`instance: ${instance}`] : [])].join('\n')
