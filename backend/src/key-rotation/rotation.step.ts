import type { KeyRotation } from '@agentopia/api'
import type { KeyRotationRefusal } from '../store/schema/toolboxes.ts'
import { lastHeard } from '../toolboxes/last-heard.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'

export type RotationFacts = Pick<
  ToolboxRow,
  'desired' | 'enrolEpoch' | 'backendToDtmaApiKey' | 'keyRotationAsked' | 'keyRotationRefusal'
>

/** For so long DTMA may take to enrol with another key, in milliseconds. It may be away when somebody asks. */
export const LONGEST_MS = 60 * 60_000

/** How far the last rotation of keys is; `undefined`: none was asked for. */
function phaseOf(row: RotationFacts): KeyRotation['phase'] | undefined {
  const { keyRotationAsked: asked, keyRotationRefusal: refusal, enrolEpoch } = row
  if (!asked) return undefined
  // Whoever enrols has a fresh key, and what the one before had is void: that alone is the end of it.
  if (enrolEpoch > asked.epoch) return 'done'
  if (refusal?.attempt !== asked.attempt) return 'asked'
  return refusal.isGivenUp ? 'unanswered' : 'refused'
}

/** What the control plane does next: hands DTMA a token, again and again, until it has enrolled with it. Decides; touches nothing. */
export const nextStep = (row: RotationFacts): 'send' | 'settled' =>
  row.desired === 'present' && row.backendToDtmaApiKey !== null && phaseOf(row) === 'asked' ? 'send' : 'settled'

/** How one is given up: what was waited for, and the last that was heard. */
export function givenUp(row: Pick<ToolboxRow, 'keyRotationAsked' | 'lastHeartbeatAt'>, at: Date): KeyRotationRefusal {
  const message = `DTMA has not enrolled with other keys within ${LONGEST_MS / 60_000} minutes. ${lastHeard(row)}`
  return { attempt: row.keyRotationAsked!.attempt, message, at: at.toISOString(), isGivenUp: true }
}

/** What people see of it. */
export function rotationOf(row: RotationFacts): KeyRotation | undefined {
  const phase = phaseOf(row)
  if (!phase) return undefined
  const { keyRotationAsked: asked, keyRotationRefusal: refusal } = row
  return {
    phase,
    askedAt: asked!.askedAt,
    ...(phase === 'refused' || phase === 'unanswered' ? { message: refusal!.message } : {}),
  }
}
