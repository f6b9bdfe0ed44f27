import { createPublicKey, verify } from 'node:crypto'
import { type Release, signedTextOf } from '@agentopia/dtma/contract'
import { expect, test } from 'vitest'
import { createReleaseKey } from './release-key.ts'

const release: Release = { product: 'dtma', version: '1.2.3', bundle: { sha256: 'a'.repeat(64), size: 1 } }
const root = (byte: number) => Buffer.alloc(32, byte)
const good = (publicKey: string, manifest: string, signature: string): boolean => {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
  return verify(null, Buffer.from(signedTextOf(manifest)), key, Buffer.from(signature, 'base64'))
}

test('every replica signs with the same key, and another control plane with another', () => {
  const { publicKey, sign } = createReleaseKey(root(1))
  const { manifest, signature } = createReleaseKey(root(1)).sign(release)
  expect(sign(release)).toEqual({ manifest, signature })
  expect(good(publicKey, manifest, signature)).toBe(true)
  expect(good(createReleaseKey(root(2)).publicKey, manifest, signature)).toBe(false)
})

test('a release that was changed is not signed any more', () => {
  const { publicKey, sign } = createReleaseKey(root(1))
  const { manifest, signature } = sign(release)
  expect(good(publicKey, manifest.replace('1.2.3', '1.2.4'), signature)).toBe(false)
})
