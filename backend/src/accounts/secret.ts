import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits. The prefix tells people, and scanners for leaked secrets, what it is. */
export const newSecret = (prefix: 'tbx' | 'agt' | 'link' | 'code' | 'oat' | 'ort' | 'inv'): string =>
  `${prefix}_${randomBytes(32).toString('base64url')}`

/** What is stored of a secret, and what it is looked up by. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** The first characters, to tell secrets apart; far too few to guess the rest. */
export const hintOf = (secret: string): string => secret.slice(0, 8)
