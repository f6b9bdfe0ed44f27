import { hash } from 'node:crypto'
import type { CallRecord } from './call-record.ts'

// Every record of an account carries the hash of the one before it: what was written can be neither changed nor taken out
// without a trace. The form that is hashed is described in docs/decisions/0040-chain-of-calls.md, for whoever checks an export.

/** A record in its place. */
export interface ChainedCall extends CallRecord {
  /** From 1, without gaps. */
  readonly sequence: number
  readonly previousHash: string
  readonly hash: string
}

/** A place in a chain. */
export interface ChainPosition {
  readonly sequence: number
  readonly hash: string
}

/** Where every chain begins. */
export const BEGINNING: ChainPosition = { sequence: 0, hash: '0'.repeat(64) }

/** The forms of a record: one that a person decided about, or in which secrets were seen, has members more. */
const FORM = 1
const LONGER_FORM = 2

/** The records as they go on from `last`, in their order. */
export function chainOn(last: ChainPosition, records: readonly CallRecord[]): ChainedCall[] {
  let { sequence, hash } = last
  return records.map((record) => {
    const placed = { ...record, sequence: sequence + 1, previousHash: hash }
    const chained = { ...placed, hash: hashOf(placed) }
    ;({ sequence, hash } = chained)
    return chained
  })
}

/** SHA-256 of the record in canonical JSON (RFC 8785), hex. */
export function hashOf(record: Omit<ChainedCall, 'hash'>): string {
  const members = {
    accountId: record.accountId,
    agentId: record.agentId,
    agentName: record.agentName,
    argumentBytes: record.argumentBytes,
    argumentDigest: record.argumentDigest,
    capability: record.capability,
    capabilityDigest: record.capabilityDigest ?? null,
    code: record.code,
    ...(record.decidedBy == null ? {} : { decidedBy: record.decidedBy }),
    durationMs: record.durationMs,
    form: record.decidedBy == null && !record.secretsSeen ? FORM : LONGER_FORM,
    id: record.id,
    instanceGeneration: record.instanceGeneration ?? null,
    instanceId: record.instanceId,
    instanceName: record.instanceName,
    outcome: record.outcome,
    previousHash: record.previousHash,
    resultBytes: record.resultBytes,
    resultDigest: record.resultDigest ?? null,
    ...(record.secretsSeen ? { secretsSeen: record.secretsSeen } : {}),
    sequence: record.sequence,
    specDigest: record.specDigest ?? null,
    startedAt: record.startedAt,
    via: record.via ?? null,
  }
  // What a journal of an earlier version lacks is null. The members stand in the order that RFC 8785 wants, and JSON.stringify writes numbers and texts as it does.
  return hash('sha256', JSON.stringify(members))
}
