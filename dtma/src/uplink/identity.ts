import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { selfSigned, type TlsIdentity } from '../http/self-signed.ts'

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

/** A key of Ed25519. */
interface SigningKey {
  /** SPKI DER, base64. */
  readonly publicKey: string
  /** Base64 signature over UTF-8 text. */
  sign(text: string): string
}

/** What a renewal begins with. */
interface NextRenewal {
  readonly counter: number
  /** The same until its reply came, also after a restart: so a repetition is known as one. */
  readonly attempt: string
}

/** The key that never leaves this toolbox, and what was received for it. */
export interface Identity extends SigningKey {
  /** The same key, for TLS on DTMA's port: who knows `publicKey` knows whom he talks to. */
  tls(): TlsIdentity
  credentials(): Credentials | undefined
  /**
   * The key to enrol with: at first the one there is, later a new one for each enrolment, because a copy of this directory would
   * hold the old one too. Stored before it returns, so that an enrolment whose reply was lost is repeated with the same.
   */
  enrolmentKey(): SigningKey
  /** Remembers a token that we were handed over the API, so that what was begun with it goes on after a restart. Stored before it returns. */
  hold(token: string): void
  /** The token that was handed to us and has not been traded yet. */
  handedToken(): string | undefined
  /** The control plane does not take it. */
  drop(token: string): void
  /** Stored durably before it returns, with the digest of the token that they were traded for; the key of the enrolment is ours then. */
  keep(credentials: Credentials, token: string): void
  /** Whether the credentials were traded for this very token: it has nothing better to give. */
  cameFrom(token: string): boolean
  /** Stored before it returns. */
  nextRenewal(): NextRenewal
  /** The renewal was answered. Stored durably before it returns; that of an earlier enrolment says nothing any more. */
  renewed(renewal: { readonly dtmaBearerToken: string; readonly counter: number; readonly epoch: number }): void
  /** Pins of the control plane that were learned, as long as these are the ones that were configured. */
  learnedPins(configured: readonly string[]): readonly string[] | undefined
  /** Stored when they are new. */
  learnPins(configured: readonly string[], pins: readonly string[]): void
}

const IdentityFile = z.object({
  privateKey: z.string(),
  credentials: z.optional(Credentials),
  /** Of the token that was given in the environment or in a file: it is there at the next start too. */
  tokenDigest: z.optional(z.string()),
  handedToken: z.optional(z.string()),
  /** Of the last one that was handed over the API and traded. */
  handedDigest: z.optional(z.string()),
  /** Of an enrolment that was not answered yet. */
  nextPrivateKey: z.optional(z.string()),
  /** Since the enrolment. */
  renewals: z.optional(z.int()),
  attempt: z.optional(z.string()),
  pins: z.optional(z.object({ configured: z.array(z.string()), learned: z.array(z.string()) })),
})
type IdentityFile = z.infer<typeof IdentityFile>

/**
 * Opens the identity of the state directory, making its key at first.
 * @throws {Error} When the directory cannot be written, or the file is damaged: a new key would be another toolbox's.
 */
export function openIdentity(stateDir: string): Identity {
  const file = join(stateDir, 'identity.json')
  let stored = read(file) ?? create(stateDir, file)
  let privateKey = keyIn(stored.privateKey)
  const store = (change: Partial<IdentityFile>) => {
    const next = { ...stored, ...change }
    write(stateDir, file, next) // first: what is only remembered is forgotten by the next start
    stored = next
  }
  return {
    get publicKey() {
      return publicKeyOf(privateKey)
    },
    sign: (text) => signed(privateKey, text),
    tls: () => selfSigned(privateKey),
    credentials: () => stored.credentials,
    enrolmentKey() {
      if (!stored.credentials) return signingKeyOf(privateKey)
      if (stored.nextPrivateKey === undefined) store({ nextPrivateKey: newPrivateKey() })
      return signingKeyOf(keyIn(stored.nextPrivateKey!))
    },
    hold(token) {
      if (stored.handedToken !== token && stored.handedDigest !== digestOf(token)) store({ handedToken: token })
    },
    handedToken: () => stored.handedToken,
    drop(token) {
      if (stored.handedToken === token) store({ handedToken: undefined })
    },
    keep(credentials, token) {
      const { nextPrivateKey, attempt: _, handedToken, ...rest } = stored
      const digest = digestOf(token)
      const next = {
        ...rest,
        privateKey: nextPrivateKey ?? rest.privateKey,
        credentials,
        ...(handedToken === token ? { handedDigest: digest } : { tokenDigest: digest }),
        renewals: 0,
      }
      write(stateDir, file, next)
      stored = next
      privateKey = keyIn(stored.privateKey)
    },
    cameFrom: (token) => [stored.tokenDigest, stored.handedDigest].includes(digestOf(token)),
    nextRenewal() {
      if (stored.attempt === undefined) store({ attempt: randomUUID() })
      return { counter: stored.renewals ?? 0, attempt: stored.attempt! }
    },
    renewed({ dtmaBearerToken, counter, epoch }) {
      const { attempt: _, ...rest } = stored
      if (rest.credentials?.epoch !== epoch) return
      stored = { ...rest, credentials: { ...rest.credentials, dtmaBearerToken }, renewals: counter }
      write(stateDir, file, stored)
    },
    learnedPins: (configured) => (same(stored.pins?.configured, configured) ? stored.pins?.learned : undefined),
    learnPins(configured, pins) {
      if (same(stored.pins?.configured, configured) && same(stored.pins?.learned, pins)) return
      store({ pins: { configured: [...configured], learned: [...pins] } })
    },
  }
}

const same = (a: readonly string[] | undefined, b: readonly string[]): boolean => a?.join(';') === b.join(';')

const keyIn = (text: string): KeyObject =>
  createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
const publicKeyOf = (key: KeyObject): string =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64')
const signed = (key: KeyObject, text: string): string => sign(null, Buffer.from(text), key).toString('base64')
const signingKeyOf = (key: KeyObject): SigningKey => ({
  publicKey: publicKeyOf(key),
  sign: (text) => signed(key, text),
})

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
  const made: IdentityFile = { privateKey: newPrivateKey() }
  write(stateDir, file, made)
  return made
}

const newPrivateKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')

/** Whole or not at all, and on disk before it counts. */
function write(stateDir: string, file: string, identity: IdentityFile): void {
  mkdirSync(stateDir, { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(identity), { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
  const folder = openSync(stateDir, 'r')
  fsyncSync(folder)
  closeSync(folder)
}
