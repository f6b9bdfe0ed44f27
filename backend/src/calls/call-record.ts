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
  /** ISO 8601. */
  readonly startedAt: string
  /** SHA-256, hex. */
  readonly argumentDigest: string
  readonly argumentBytes: number
}

/** How it went. */
export interface CallEnd {
  readonly outcome: Call['outcome']
  /** Why, when the outcome is not ok. */
  readonly code: string | null
  readonly durationMs: number
  readonly resultBytes: number | null
}

export type CallRecord = BegunCall & CallEnd

/** The end of a call that this process did not live to see. The tool may have done its work. */
export const INTERRUPTED: CallEnd = { outcome: 'failed', code: 'interrupted', durationMs: 0, resultBytes: null }
