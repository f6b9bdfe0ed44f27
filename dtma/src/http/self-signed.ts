import { createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto'

/** What a TLS server shows and holds; PEM. */
export interface TlsIdentity {
  readonly key: string
  readonly cert: string
}

/**
 * A certificate that an Ed25519 key gives itself (RFC 5280, RFC 8410). Its words mean nothing: whoever comes knows the key
 * and looks at nothing else. It has no end, so that a wrong clock breaks nothing.
 */
export function selfSigned(privateKey: KeyObject): TlsIdentity {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const name = sequence(set(sequence(COMMON_NAME, der(0x0c, Buffer.from('dtma')))))
  const validity = sequence(time('20000101000000Z'), time('99991231235959Z'))
  const version3 = der(0xa0, der(0x02, Buffer.of(2)))
  const serial = der(0x02, Buffer.of(1))
  const body = sequence(version3, serial, ED25519, name, validity, name, spki)
  const whole = sequence(body, ED25519, der(0x03, Buffer.concat([Buffer.of(0), sign(null, body, privateKey)])))
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    cert: new X509Certificate(whole).toString(),
  }
}

/** One element of DER: tag, length, contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

const sequence = (...elements: readonly Buffer[]): Buffer => der(0x30, ...elements)
const set = (...elements: readonly Buffer[]): Buffer => der(0x31, ...elements)
const time = (text: string): Buffer => der(0x18, Buffer.from(text))

/** Object identifiers 2.5.4.3 and 1.3.101.112. */
const COMMON_NAME = der(0x06, Buffer.of(0x55, 0x04, 0x03))
const ED25519 = sequence(der(0x06, Buffer.of(0x2b, 0x65, 0x70)))
