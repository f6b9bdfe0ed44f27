import { hash, randomBytes } from 'node:crypto'

/** What a secret opens: of people, of agents and their clients, of DTMA. */
type Prefix = 'tbx' | 'agt' | 'link' | 'code' | 'oat' | 'ort' | 'inv' | 'enrol' | 'dtma' | 'backend'

/** 256 random bits. The prefix tells people, and scanners for leaked secrets, what it is. */
export const newSecret = (prefix: Prefix): string => `${prefix}_${randomBytes(32).toString('base64url')}`

/** 256 random bits that open nothing alone; letters and digits. */
export const newNonce = (): string => randomBytes(32).toString('hex')

/** What is stored of a secret, and what it is looked up by: comparing digests tells nothing about the secret by its time. */
export const digestOf = (secret: string): string => hash('sha256', secret)

/** The first characters, to tell secrets apart; far too few to guess the rest. */
export const hintOf = (secret: string): string => secret.slice(0, 8)
