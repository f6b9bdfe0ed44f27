import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'

/** What enrolment gave this toolbox. */
export const Credentials = z.object({
  toolboxId: z.string(),
  epoch: z.int(),
  dtmaBearerToken: z.string(),
  backendToDtmaApiKey: z.string(),
  /** What releases are signed with. Absent: given by a control plane that signs none. */
  releaseKey: z.optional(z.string()),
})
export type Credentials = z.infer<typeof Credentials>

/** The key that never leaves this toolbox, and what was received for it. */
export interface Identity {
  /** Ed25519, SPKI DER, base64. */
  readonly publicKey: string
  /** Base64 signature over UTF-8 text. */
  sign(text: string): string
  credentials(): Credentials | undefined
  /** Stored durably before it returns, with the digest of the token that they were traded for. */
  keep(credentials: Credentials, token: string): void
  /** Whether the credentials were traded for this very token: it has nothing better to give. */
  cameFrom(token: string): boolean
}

const IdentityFile = z.object({
  privateKey: z.string(),
  credentials: z.optional(Credentials),
  tokenDigest: z.optional(z.string()),
})
type IdentityFile = z.infer<typeof IdentityFile>

/**
 * Opens the identity of the state directory, making its key at first.
 * @throws {Error} When the directory cannot be written, or the file is damaged: a new key would be another toolbox's.
 */
export function openIdentity(stateDir: string): Identity {
  const file = join(stateDir, 'identity.json')
  let stored = read(file) ?? create(stateDir, file)
  const privateKey: KeyObject = createPrivateKey({
    key: Buffer.from(stored.privateKey, 'base64'),
    format: 'der',
    type: 'pkcs8',
  })
  return {
    publicKey: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
    credentials: () => stored.credentials,
    keep(credentials, token) {
      stored = { ...stored, credentials, tokenDigest: digestOf(token) }
      write(stateDir, file, stored)
    },
    cameFrom: (token) => stored.tokenDigest === digestOf(token),
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

function read(file: string): IdentityFile | undefined {
  try {
    return IdentityFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`${file} is damaged; restore it, or remove it and enrol this toolbox anew`, { cause: error })
  }
}

function create(stateDir: string, file: string): IdentityFile {
  const { privateKey } = generateKeyPairSync('ed25519')
  const made: IdentityFile = { privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64') }
  write(stateDir, file, made)
  return made
}

/** Whole or not at all, and on disk before it counts. */
function write(stateDir: string, file: string, identity: IdentityFile): void {
  mkdirSync(stateDir, { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(identity), { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
  const folder = openSync(stateDir, 'r')
  fsyncSync(folder)
  closeSync(folder)
}
