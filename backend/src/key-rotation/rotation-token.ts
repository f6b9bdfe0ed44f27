import { createHmac, hkdfSync } from 'node:crypto'

/**
 * The enrolment token of one attempt to rotate the keys of a toolbox. It is derived, so whoever hands it over once more, on any
 * replica or after a crash, hands over the same; and it is stored nowhere.
 */
export type RotationTokenOf = (toolboxId: string, attempt: string) => string

export function createRotationTokens(masterKey: Uint8Array): RotationTokenOf {
  const key = Buffer.from(hkdfSync('sha256', masterKey, '', 'agentopia key rotation', 32))
  return (toolboxId, attempt) =>
    `enrol_${createHmac('sha256', key).update(`${toolboxId}.${attempt}`).digest('base64url')}`
}
