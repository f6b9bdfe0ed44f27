import type { KeyRotation } from '@agentopia/api'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'

export type RotationFacts = Pick<
  ToolboxRow,
  'desired' | 'enrolEpoch' | 'backendToDtmaApiKey' | 'keyRotationAsked' | 'keyRotationRefusal'
>

/** How far the last rotation of keys is; `undefined`: none was asked for. */
function phaseOf(row: RotationFacts): KeyRotation['phase'] | undefined {
  const { keyRotationAsked: asked, keyRotationRefusal: refusal, enrolEpoch } = row
  if (!asked) return undefined
  // Whoever enrols has a fresh key, and what the one before had is void: that alone is the end of it.
  if (enrolEpoch > asked.epoch) return 'done'
  return refusal?.attempt === asked.attempt ? 'refused' : 'asked'
}

/** What the control plane does next: hands DTMA a token, again and again, until it has enrolled with it. Decides; touches nothing. */
export const nextStep = (row: RotationFacts): 'send' | 'settled' =>
  row.desired === 'present' && row.backendToDtmaApiKey !== null && phaseOf(row) === 'asked' ? 'send' : 'settled'

/** What people see of it. */
export function rotationOf(row: RotationFacts): KeyRotation | undefined {
  const phase = phaseOf(row)
  if (!phase) return undefined
  const { keyRotationAsked: asked, keyRotationRefusal: refusal } = row
  return { phase, askedAt: asked!.askedAt, ...(phase === 'refused' ? { message: refusal!.message } : {}) }
}
