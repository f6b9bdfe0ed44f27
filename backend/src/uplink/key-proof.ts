import { createPublicKey, verify } from 'node:crypto'

export interface KeyProof {
  readonly toolboxId: string
  readonly token: string
  /** Ed25519, SPKI DER, base64. */
  readonly publicKey: string
  /** Over `enrol:<toolboxId>:<token>`, base64. */
  readonly signature: string
}

/** Does the sender hold the private key of `publicKey`, and mean this enrolment with it? */
export function provesKey({ toolboxId, token, publicKey, signature }: KeyProof): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    if (key.asymmetricKeyType !== 'ed25519') return false
    return verify(null, Buffer.from(`enrol:${toolboxId}:${token}`), key, Buffer.from(signature, 'base64'))
  } catch {
    return false // what does not parse as a key proves nothing
  }
}
