import type { Call } from '@agentopia/api'

/** What is known of a call before it is made. */
export interface BegunCall {
  readonly id: string
  readonly accountId: string
  readonly agentId: string
  readonly agentName: string
  readonly instanceId: string | null
  readonly instanceName: string | null
  readonly capability: string
  /** By which door it came. */
  readonly via: NonNullable<Call['via']> | null
  /** Which version of the instance is called; null when the name leads nowhere. */
  readonly instanceGeneration: number | null
  /** SHA-256 of what runs, hex. */
  readonly specDigest: string | null
  /** SHA-256 of the capability as it was described to the agent, hex. */
  readonly capabilityDigest: string | null
  /** ISO 8601. */
  readonly startedAt: string
  /** SHA-256, hex. */
  readonly argumentDigest: string
  readonly argumentBytes: number
}

/** How it went. */
export interface CallEnd {
  readonly outcome: Call['outcome']
  /** Why, when the outcome is not ok; `repeated` when the answer is that of an earlier call with the same key. */
  readonly code: string | null
  readonly durationMs: number
  readonly resultBytes: number | null
  /** SHA-256 of the answer as it was passed on, hex. */
  readonly resultDigest: string | null
  /** Who was asked before it was made, and said yes or no; absent: nobody. */
  readonly decidedBy?: string | null
  /** Kinds of secrets and of unseen characters that were found, `<where>:<kind>`, sorted. */
  readonly secretsSeen?: readonly string[] | null
}

export type CallRecord = BegunCall & CallEnd

/** The end of a call that this process did not live to see. The tool may have done its work. */
export const INTERRUPTED: CallEnd = {
  outcome: 'failed',
  code: 'interrupted',
  durationMs: 0,
  resultBytes: null,
  resultDigest: null,
}
