import { createPrivateKey, createPublicKey, hkdfSync, sign } from 'node:crypto'
import { type Release, type SignedRelease, signedTextOf } from '@agentopia/dtma/contract'

/** The key that releases of DTMA are signed with: every replica has the same, and no database holds it. */
export interface ReleaseKey {
  /** Ed25519, SPKI DER, base64: what a DTMA gets when it enrols. */
  readonly publicKey: string
  sign(release: Release): SignedRelease
}

/** Before the 32 bytes of a private key (RFC 8410 section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** @param rootKey 32 bytes, in the database only under seal. */
export function createReleaseKey(rootKey: Uint8Array): ReleaseKey {
  const seed = Buffer.from(hkdfSync('sha256', rootKey, '', 'agentopia releases of dtma', 32))
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' })
  return {
    publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64'),
    sign(release) {
      const manifest = JSON.stringify(release)
      return { manifest, signature: sign(null, Buffer.from(signedTextOf(manifest)), key).toString('base64') }
    },
  }
}
