import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits. The prefix tells people, and scanners for leaked secrets, what it is. */
export const newSecret = (prefix: 'enrol' | 'dtma' | 'backend'): string =>
  `${prefix}_${randomBytes(32).toString('base64url')}`

/** What is stored of a secret, and what it is looked up by: comparing digests tells nothing about the secret by its time. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')
