import { digestOf } from '../secret.ts'

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
