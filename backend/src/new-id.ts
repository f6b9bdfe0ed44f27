import { randomInt } from 'node:crypto'

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

export type IdPrefix =
  | 'toolbox'
  | 'roll'
  | 'inst'
  | 'group'
  | 'agent'
  | 'belt'
  | 'cred'
  | 'token'
  | 'call'
  | 'appr'
  | 'act'
  | 'prov'
  | 'tool'
  | 'deed'
  | 'client'
  | 'grant'
  | 'user'
  | 'member'
  | 'invite'
  | 'conn'
  | 'passkey'

/** A new id such as `toolbox_0h2k…`: the prefix tells the kind, 16 random characters (82 bits) make it unique. */
export const newId = (prefix: IdPrefix): string =>
  `${prefix}_${Array.from({ length: 16 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')}`
