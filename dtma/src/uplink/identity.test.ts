import { createPublicKey, verify } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openIdentity } from './identity.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dtma-identity-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const CREDENTIALS = { toolboxId: 'toolbox_a', epoch: 1, dtmaBearerToken: 'bearer', backendToDtmaApiKey: 'key' }

test('makes a key once, and what it signs is proved by the public half', () => {
  const first = openIdentity(directory)
  const again = openIdentity(directory)
  expect(again.publicKey).toBe(first.publicKey)
  const key = createPublicKey({ key: Buffer.from(first.publicKey, 'base64'), format: 'der', type: 'spki' })
  expect(verify(null, Buffer.from('text'), key, Buffer.from(again.sign('text'), 'base64'))).toBe(true)
})

test('keeps credentials over a restart, and knows which token they came from', () => {
  const identity = openIdentity(directory)
  expect(identity.credentials()).toBeUndefined()
  expect(identity.cameFrom('token')).toBe(false)
  identity.keep(CREDENTIALS, 'token')
  const again = openIdentity(directory)
  expect(again.credentials()).toEqual(CREDENTIALS)
  expect([again.cameFrom('token'), again.cameFrom('other')]).toEqual([true, false])
  expect(readFileSync(join(directory, 'identity.json'), 'utf8')).not.toContain('"token"')
})

test('a token that was handed over outlives a restart until it is traded; the one of the file is known all the same', () => {
  const identity = openIdentity(directory)
  identity.keep(CREDENTIALS, 'of the file')
  const before = identity.publicKey
  identity.hold('handed')
  const again = openIdentity(directory)
  expect([again.handedToken(), again.publicKey]).toEqual(['handed', before])
  const fresh = again.enrolmentKey().publicKey
  again.keep({ ...CREDENTIALS, epoch: 2 }, 'handed')
  const last = openIdentity(directory)
  expect([last.handedToken(), last.publicKey]).toEqual([undefined, fresh])
  expect(['of the file', 'handed', 'other'].map(last.cameFrom)).toEqual([true, true, false])
  last.hold('handed') // it comes late, once more
  expect(last.handedToken()).toBeUndefined()
})

test('a token that is not taken is forgotten, and no other', () => {
  const identity = openIdentity(directory)
  identity.hold('handed')
  identity.drop('another')
  expect(identity.handedToken()).toBe('handed')
  identity.drop('handed')
  expect(openIdentity(directory).handedToken()).toBeUndefined()
})

test('the reply to a renewal that another enrolment has overtaken changes nothing', () => {
  const identity = openIdentity(directory)
  identity.keep({ ...CREDENTIALS, epoch: 2 }, 'token')
  identity.renewed({ dtmaBearerToken: 'of the old key', counter: 4, epoch: 1 })
  expect([identity.credentials()?.dtmaBearerToken, identity.nextRenewal().counter]).toEqual(['bearer', 0])
})

test('nobody else on the machine reads it', () => {
  openIdentity(directory).keep(CREDENTIALS, 'token')
  expect(statSync(join(directory, 'identity.json')).mode & 0o777).toBe(0o600)
})

test.each(['', '{', '{}', '{"privateKey":5}'])('a damaged file (%s) is no reason to become somebody else', (text) => {
  writeFileSync(join(directory, 'identity.json'), text)
  expect(() => openIdentity(directory)).toThrow(/is damaged; restore it/)
  expect(readFileSync(join(directory, 'identity.json'), 'utf8')).toBe(text)
})

test('what could not be stored is not used: after a restart nobody would know it', () => {
  const identity = openIdentity(directory)
  identity.keep(CREDENTIALS, 'of the file')
  const inTheWay = join(directory, 'identity.json.new')
  mkdirSync(inTheWay)
  // Asked twice: neither is the second answer one that is only remembered.
  for (const _ of [1, 2]) {
    expect(() => identity.hold('handed')).toThrow()
    expect(() => identity.enrolmentKey()).toThrow()
    expect(() => identity.nextRenewal()).toThrow()
  }
  expect(identity.handedToken()).toBeUndefined()
  rmdirSync(inTheWay)
  const stored = [identity.enrolmentKey().publicKey, identity.nextRenewal()]
  const again = openIdentity(directory)
  expect([again.enrolmentKey().publicKey, again.nextRenewal()]).toEqual(stored)
})
