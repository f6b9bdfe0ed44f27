import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits. The prefix tells people, and scanners for leaked secrets, what it is. */
export const newSecret = (prefix: 'enrol' | 'dtma' | 'backend'): string =>
  `${prefix}_${randomBytes(32).toString('base64url')}`

/** 256 random bits that open nothing alone; letters and digits. */
export const newNonce = (): string => randomBytes(32).toString('hex')

/** What is stored of a secret, and what it is looked up by: comparing digests tells nothing about the secret by its time. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/**
 * What is stored of an enrolment token. That of a machine with a fresh disk is in two parts: the token that it was born with, and
 * after a dot what its provider shows it now. Neither opens anything without the other.
 */
export function tokenDigestOf(token: string): string {
  const dot = token.indexOf('.')
  return dot < 0 ? digestOf(token) : renewedDigestOf(digestOf(token.slice(0, dot)), token.slice(dot + 1))
}

/** @param bornWith Digest of the first part. */
export const renewedDigestOf = (bornWith: string, shown: string): string => digestOf(`${bornWith}.${shown}`)
