import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** What a sealed text belongs to. It opens only under the same words: a row that was swapped does not open. */
export interface SealedFor {
  readonly purpose:
    | 'dtma-api-key'
    | 'agent-credential'
    | 'account-key'
    | 'root-key'
    | 'provider-token'
    | 'registry-password'
    | 'ssh-key'
    | 'request-state'
    | 'call-answer'
    | 'approval'
    | 'call-payload'
    | 'oauth-client'
    | 'oauth-attempt'
    | 'refresh-token'
  readonly accountId: string
  readonly recordId: string
}

/**
 * Seals secrets with a fresh data key each, wrapped by the key-encryption key (AES-256-GCM, envelope). A sealed text is a head, which
 * names that key and holds the data key, and a body, which does not depend on it.
 */
export interface Sealer {
  /** Names the key that is sealed under. */
  readonly keyId: string
  seal(text: string, belongsTo: SealedFor): string
  /** @throws {UnknownKeyError} @throws {Error} When the text was changed, or belongs to something else. */
  open(sealed: string, belongsTo: SealedFor): string
  /**
   * The head of a sealed text ({@link HEAD_LENGTH} characters) with its data key wrapped by the key that is sealed under; what comes
   * behind it stays as it is. The same when it is so already.
   * @throws {Error} As {@link open}, but for a change of the body.
   */
  resealHead(head: string, belongsTo: SealedFor): string
}

/** A text is sealed under a key that is not known here. */
export class UnknownKeyError extends Error {
  override readonly name = 'UnknownKeyError'
}

const VERSION = 'v1'
const NONCE = 12
const TAG = 16
const KEY = 32
const ID_LENGTH = 8

/** What of a sealed text names its key. */
export const beginningUnder = (keyId: string): string => `${VERSION}.${keyId}.`
export const BEGINNING_LENGTH = beginningUnder('-'.repeat(ID_LENGTH)).length
/** With the wrapped data key, in base64url, and the dot behind it. */
export const HEAD_LENGTH = BEGINNING_LENGTH + Math.ceil(((NONCE + KEY + TAG) * 4) / 3) + 1

/** Tells keys apart, and nothing of them. @throws {RangeError} When it is none. */
export function keyIdOf(key: Uint8Array): string {
  if (key.length !== KEY) throw new RangeError(`a master key has ${KEY} bytes`)
  return createHash('sha256').update('agentopia key id').update(key).digest('hex').slice(0, ID_LENGTH)
}

/** Under which key a text, or its beginning, is sealed. */
export const keyIdIn = (sealed: string): string => sealed.slice(VERSION.length + 1, BEGINNING_LENGTH - 1)

/** Does a text begin as sealed ones do? */
export const namesKey = (text: string): boolean => /^v1\.[0-9a-f]{8}\./.test(text)

/**
 * @param current 32 bytes, kept outside the database: what is sealed under.
 * @param others What was sealed under these opens, too.
 */
export function createSealer(current: Uint8Array, others: readonly Uint8Array[] = []): Sealer {
  const keyId = keyIdOf(current)
  const keys = new Map([...others, current].map((key) => [keyIdOf(key), key]))

  function dataKeyIn(id: string | undefined, wrapped: string, context: Uint8Array): Buffer {
    const key = keys.get(id ?? '')
    if (!key) throw new UnknownKeyError(`sealed under the key ${id}, not ${[...keys.keys()].join(' or ')}`)
    return decrypt(key, Buffer.from(wrapped, 'base64url'), context)
  }

  const headWith = (dataKey: Uint8Array, context: Uint8Array): string =>
    `${beginningUnder(keyId)}${encrypt(current, dataKey, context).toString('base64url')}.`

  return {
    keyId,
    seal(text, belongsTo) {
      const context = contextOf(belongsTo)
      const dataKey = randomBytes(KEY)
      return headWith(dataKey, context) + encrypt(dataKey, Buffer.from(text, 'utf8'), context).toString('base64url')
    },
    open(sealed, belongsTo) {
      const [version, id, wrapped, body, ...rest] = sealed.split('.')
      if (version !== VERSION || !wrapped || !body || rest.length > 0) throw new Error('this is no sealed text')
      const context = contextOf(belongsTo)
      const dataKey = dataKeyIn(id, wrapped, context)
      return decrypt(dataKey, Buffer.from(body, 'base64url'), context).toString('utf8')
    },
    resealHead(head, belongsTo) {
      const [version, id, wrapped, end, ...rest] = head.split('.')
      if (version !== VERSION || !wrapped || end !== '' || rest.length > 0) throw new Error('this is no sealed text')
      const context = contextOf(belongsTo)
      const dataKey = dataKeyIn(id, wrapped, context)
      return id === keyId ? head : headWith(dataKey, context)
    },
  }
}

/** The parts are length-prefixed, so that no two contexts read the same. */
const contextOf = ({ purpose, accountId, recordId }: SealedFor): Buffer =>
  Buffer.from([purpose, accountId, recordId].map((part) => `${Buffer.byteLength(part)}:${part}`).join('|'))

function encrypt(key: Uint8Array, plain: Uint8Array, context: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context)
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Uint8Array, sealed: Buffer, context: Uint8Array): Buffer {
  if (sealed.length < NONCE + TAG) throw new Error('this is no sealed text')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE))
    .setAAD(context)
    .setAuthTag(sealed.subarray(-TAG))
  return Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()])
}
