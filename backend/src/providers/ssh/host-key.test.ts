import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { algorithmsFor, hostKeyOf, refusalOfKey } from './host-key.ts'

const part = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
const blob = Buffer.concat([part(Buffer.from('ssh-ed25519')), part(Buffer.alloc(32, 7))])
const key = (fingerprint: string) => ({ type: 'ssh-ed25519', fingerprint })

test('a host key is named as ssh-keygen names it', () => {
  const digest = createHash('sha256').update(blob).digest('base64').replace('=', '')
  expect(hostKeyOf(blob)).toEqual({ type: 'ssh-ed25519', fingerprint: `SHA256:${digest}` })
})

test.each([Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(40), Buffer.from('HTTP/1.1 400 Bad Request')])(
  'what is no host key is refused: %j',
  (bytes) => expect(() => hostKeyOf(bytes)).toThrow(RangeError),
)

test('the first time decides what was compared; afterwards what is recorded', () => {
  expect(refusalOfKey(key('SHA256:a'), { accepted: 'SHA256:a' })).toBeUndefined()
  expect(refusalOfKey(key('SHA256:a'), { accepted: 'SHA256:b' })).toMatch(/SHA256:a.*SHA256:b/)
  expect(refusalOfKey(key('SHA256:a'), { recorded: key('SHA256:a'), accepted: 'SHA256:a' })).toBeUndefined()
  // Also when somebody says that he compared it: to forget the old one is an administrator's.
  expect(refusalOfKey(key('SHA256:b'), { recorded: key('SHA256:a'), accepted: 'SHA256:b' })).toMatch(
    /SHA256:b.*SHA256:a/,
  )
})

test('a server is asked for the key that is recorded before all others', () => {
  expect(algorithmsFor(undefined)[0]).toBe('ssh-ed25519')
  expect(algorithmsFor({ type: 'ssh-rsa', fingerprint: 'SHA256:a' }).slice(0, 2)).toEqual([
    'rsa-sha2-512',
    'rsa-sha2-256',
  ])
  expect(algorithmsFor({ type: 'ecdsa-sha2-nistp384', fingerprint: 'SHA256:a' })).toHaveLength(6)
})
