import { problem } from '@agentopia/api'
import { causesOf } from '../causes.ts'

// What an error of the database means to whoever asked.

/** What `ask` gives. @throws {ProblemError} `store-unavailable` when the database did not answer it in time; else what it throws. */
export async function orUnavailable<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    throw isUnavailable(error)
      ? problem('store-unavailable', 'The database did not answer in time', { cause: error })
      : error
  }
}

/** SQLSTATE codes, and classes of them, that mean that the connection ends: 08 connection, 57P shut down, crashed, starting. */
const ENDED = /^(080|57P)/
/**
 * The same, that mean: not now. 53 out of resources, 42P01 a table is not there, 25006 a standby that is not the primary yet,
 * 25P03 a transaction that was idle for too long, 40001 one of two that were at odds, 40P01 a deadlock, 55P03 a lock was not to be had in
 * time, 57014 a statement took too long.
 */
const NOT_NOW = /^(53|42P01|25006|25P03|40001|40P01|55P03|57014)/
const NO_CONNECTION = /^(ECONN|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/
// The driver's own words, for which it has no code.
const NO_ANSWER = /^Query read timeout/
const NO_LONGER_CONNECTED =
  /^(Connection terminated|timeout (exceeded|expired)|Client (has encountered a connection error|was closed)|Cannot use a pool after|There was an error establishing an SSL|The server does not support SSL)/

/** Did no answer come, though the connection stands? */
export const isSilent = (error: unknown): boolean => causesOf(error).some(({ message }) => NO_ANSWER.test(message))

/** Is its connection gone, or the answer on it? */
export const isLost = (error: unknown): boolean => isSilent(error) || causesOf(error).some(isLostConnection)

function isLostConnection(cause: Error): boolean {
  const code = codeOf(cause)
  return code === undefined ? NO_LONGER_CONNECTED.test(cause.message) : NO_CONNECTION.test(code) || ENDED.test(code)
}

/** Of the network, or SQLSTATE. */
function codeOf(cause: Error): string | undefined {
  const { code } = cause as { readonly code?: unknown }
  return typeof code === 'string' ? code : undefined
}

const hasCode = (error: unknown, pattern: RegExp): boolean =>
  causesOf(error).some((cause) => pattern.test(codeOf(cause) ?? ''))

/** Does an error mean that the database gave no answer, rather than that it refused? */
const isUnavailable = (error: unknown): boolean => isLost(error) || hasCode(error, NOT_NOW)

/** Would the same values be refused again? SQLSTATE classes: 22 what is no such value, 23 what a constraint forbids. */
export const isRefusedValue = (error: unknown): boolean => hasCode(error, /^2[23]/)

/** Did a statement meet a row that a unique index allows only once? */
export const isUniqueViolation = (error: unknown): boolean => hasCode(error, /^23505$/)

/** The constraint by which a row was refused because what it refers to is not there. */
export function missingReferenceOf(error: unknown): string | undefined {
  const violation = causesOf(error).find((cause) => codeOf(cause) === '23503') as { constraint?: string } | undefined
  return violation?.constraint
}

/** Was a lock not to be had in time, or was there a deadlock? */
export const isBusy = (error: unknown): boolean => hasCode(error, /^(55P03|40P01)$/)
