import { createHmac, hkdfSync } from 'node:crypto'

/**
 * Makes the enrolment token of one attempt to rotate the keys of a toolbox. It is derived, so whoever hands it over once more, on any
 * replica or after a crash, hands over the same; and it is stored nowhere.
 */
export function createRotationTokens(rootKey: Uint8Array): (toolboxId: string, attempt: string) => string {
  const key = Buffer.from(hkdfSync('sha256', rootKey, '', 'agentopia key rotation', 32))
  return (toolboxId, attempt) =>
    `enrol_${createHmac('sha256', key).update(`${toolboxId}.${attempt}`).digest('base64url')}`
}
