import { createPublicKey, verify } from 'node:crypto'
import { problem } from '../contract/problems.ts'
import { Release, type SignedRelease, signedTextOf } from '../contract/release.ts'
import { compareVersions } from '../contract/version.ts'

export interface Opening {
  /** Ed25519, SPKI DER, base64: what enrolment gave. */
  readonly key: string
  /** The version that is to be replaced. */
  readonly running: string
  readonly attempt: string
}

/**
 * Reads a release that is signed with the key and newer than what runs, or the same again where it is signed for this attempt;
 * nothing of it is looked at before the signature is.
 * @throws {ProblemError} `release-untrusted`, `release-not-newer`
 */
export function openRelease({ manifest, signature }: SignedRelease, { key, running, attempt }: Opening): Release {
  if (!isSigned(manifest, signature, key))
    throw problem('release-untrusted', 'The signature is not one of the key that this toolbox got when it enrolled')
  const release = Release.safeParse(jsonOf(manifest))
  if (!release.success) throw problem('release-untrusted', 'What is signed is no release that this DTMA understands')
  const { version, again } = release.data
  const order = compareVersions(version, running)
  if (order < 0 || (order === 0 && again !== attempt))
    throw problem('release-not-newer', `DTMA ${running} runs, and ${version} is not newer`)
  return release.data
}

function isSigned(manifest: string, signature: string, key: string): boolean {
  const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' })
  return verify(null, Buffer.from(signedTextOf(manifest)), publicKey, Buffer.from(signature, 'base64'))
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // which is no release either
  }
}
