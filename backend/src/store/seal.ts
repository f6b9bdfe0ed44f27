import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** What a sealed text belongs to. It opens only under the same words: a row that was swapped does not open. */
export interface SealedFor {
  readonly purpose:
    | 'dtma-api-key'
    | 'agent-credential'
    | 'account-key'
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

/** Seals secrets with a fresh data key each, wrapped by the key-encryption key (AES-256-GCM, envelope). */
export interface Sealer {
  seal(text: string, belongsTo: SealedFor): string
  /** @throws {Error} When the text was changed, belongs to something else, or was sealed under another key. */
  open(sealed: string, belongsTo: SealedFor): string
}

const VERSION = 'v1'
const NONCE = 12
const TAG = 16
const KEY = 32

/** @param masterKey 32 bytes, kept outside the database. */
export function createSealer(masterKey: Uint8Array): Sealer {
  if (masterKey.length !== KEY) throw new RangeError(`a master key has ${KEY} bytes`)
  const keyId = createHash('sha256').update('agentopia key id').update(masterKey).digest('hex').slice(0, 8)

  return {
    seal(text, belongsTo) {
      const context = contextOf(belongsTo)
      const dataKey = randomBytes(KEY)
      const wrapped = encrypt(masterKey, dataKey, context)
      const body = encrypt(dataKey, Buffer.from(text, 'utf8'), context)
      return [VERSION, keyId, wrapped.toString('base64url'), body.toString('base64url')].join('.')
    },
    open(sealed, belongsTo) {
      const [version, id, wrapped, body, ...rest] = sealed.split('.')
      if (version !== VERSION || !wrapped || !body || rest.length > 0) throw new Error('this is no sealed text')
      if (id !== keyId) throw new Error(`sealed under the key ${id}, not ${keyId}`)
      const context = contextOf(belongsTo)
      const dataKey = decrypt(masterKey, Buffer.from(wrapped, 'base64url'), context)
      return decrypt(dataKey, Buffer.from(body, 'base64url'), context).toString('utf8')
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
