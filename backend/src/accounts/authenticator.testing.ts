import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'

/** Options as the control plane gives them to a browser. */
interface Asked {
  readonly challenge: string
  readonly user?: { readonly id: string }
}

/** What an authenticator, or the page that it answers, does otherwise than it should. */
interface Otherwise {
  readonly origin?: string
  readonly rpId?: string
  /** The device did not ask for a finger or a PIN. */
  readonly unverified?: boolean
  /** What it says it counted. */
  readonly counter?: number
  /** Whose it says it is. */
  readonly userHandle?: string
  readonly credentialId?: string
}

const base64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url')
const sha256 = (bytes: Uint8Array | string): Buffer => createHash('sha256').update(bytes).digest()

/** The options in an answer of the control plane. */
export const optionsFrom = async (answer: Response): Promise<Asked> =>
  ((await answer.json()) as { options: Asked }).options

/** A device with one passkey (ES256, discoverable), with the page that calls it: what comes out is what a browser would send. */
export function createAuthenticator(origin: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  const id = randomBytes(16)
  let userHandle = base64url('nobody')
  let counter = 0

  const clientData = (type: string, challenge: string, said: string): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin: said, crossOrigin: false }))

  function authenticatorData(
    { rpId = new URL(origin).hostname, unverified, counter: said }: Otherwise,
    attested: Buffer,
  ) {
    const flags = 0x01 | (unverified ? 0 : 0x04) | (attested.length > 0 ? 0x40 : 0)
    const count = Buffer.alloc(4)
    count.writeUInt32BE(said ?? counter)
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count, attested])
  }

  const credential = <Answer extends object>(response: Answer, credentialId = base64url(id)) => ({
    id: credentialId,
    rawId: credentialId,
    type: 'public-key' as const,
    clientExtensionResults: {},
    authenticatorAttachment: 'platform',
    response,
  })

  return {
    /** Makes the passkey. */
    create({ challenge, user }: Asked, otherwise: Otherwise = {}) {
      userHandle = user!.id
      const cose = cbor(
        new Map<number, number | Buffer>([
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, Buffer.from(jwk.x!, 'base64url')],
          [-3, Buffer.from(jwk.y!, 'base64url')],
        ]),
      )
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, cose])
      const attestation = new Map<string, string | Buffer | Map<string, never>>([
        ['fmt', 'none'],
        ['attStmt', new Map<string, never>()],
        ['authData', authenticatorData(otherwise, attested)],
      ])
      return credential({
        clientDataJSON: base64url(clientData('webauthn.create', challenge, otherwise.origin ?? origin)),
        attestationObject: base64url(cbor(attestation)),
        transports: ['internal'],
      })
    },

    /** Signs in with it. */
    get({ challenge }: Asked, otherwise: Otherwise = {}) {
      counter += 1
      const data = authenticatorData(otherwise, Buffer.alloc(0))
      const client = clientData('webauthn.get', challenge, otherwise.origin ?? origin)
      const signature = createSign('sha256').update(data).update(sha256(client)).sign(privateKey)
      return credential(
        {
          clientDataJSON: base64url(client),
          authenticatorData: base64url(data),
          signature: base64url(signature),
          userHandle: otherwise.userHandle === undefined ? userHandle : base64url(otherwise.userHandle),
        },
        otherwise.credentialId,
      )
    },
  }
}

type Item = number | string | Buffer | Map<number | string, Item>

/** As much of CBOR (RFC 8949) as is needed here. */
function cbor(value: unknown): Buffer {
  const item = value as Item
  if (typeof item === 'number') return item >= 0 ? head(0, item) : head(1, -1 - item)
  if (typeof item === 'string') return Buffer.concat([head(3, Buffer.byteLength(item)), Buffer.from(item)])
  if (Buffer.isBuffer(item)) return Buffer.concat([head(2, item.length), item])
  return Buffer.concat([head(5, item.size), ...[...item].flatMap(([name, one]) => [cbor(name), cbor(one)])])
}

const head = (kind: number, size: number): Buffer =>
  size < 24
    ? Buffer.from([(kind << 5) | size])
    : size < 256
      ? Buffer.from([(kind << 5) | 24, size])
      : Buffer.from([(kind << 5) | 25, size >> 8, size & 255])
