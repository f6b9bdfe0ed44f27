import { createHash } from 'node:crypto'
import type { SshHostKey } from '@agentopia/api'

/** What a server shows. @param blob As it goes over the wire (RFC 4253 section 6.6). @throws {RangeError} When it is no key. */
export function hostKeyOf(blob: Buffer): SshHostKey {
  const length = blob.readUInt32BE(0)
  const type = blob.subarray(4, 4 + length).toString('latin1')
  if (!/^[\w@.-]{1,64}$/.test(type)) throw new RangeError('The server shows no host key')
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
  return { type, fingerprint: `SHA256:${digest}` }
}

/** Why this key is not accepted, in words with both fingerprints; `undefined`: it is. */
export function refusalOfKey(
  seen: SshHostKey,
  { recorded, accepted }: { readonly recorded?: SshHostKey | undefined; readonly accepted: string },
): string | undefined {
  if (recorded && recorded.fingerprint !== seen.fingerprint)
    return `The server shows ${nameOf(seen)}; recorded is ${nameOf(recorded)}`
  if (seen.fingerprint !== accepted) return `The server shows ${nameOf(seen)}; you accepted ${accepted}`
  return undefined
}

const nameOf = ({ type, fingerprint }: SshHostKey): string => `${fingerprint} (${type})`

/** Signatures of host keys, best first. */
const ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const

/** A server has a key of several kinds: it is asked for the one that is recorded, or a further one would look like another server. */
export function algorithmsFor(recorded: SshHostKey | undefined): (typeof ALGORITHMS)[number][] {
  const isOfKey = (name: string) => (recorded?.type === 'ssh-rsa' ? name.startsWith('rsa-') : name === recorded?.type)
  return [...ALGORITHMS.filter(isOfKey), ...ALGORITHMS.filter((name) => !isOfKey(name))]
}
