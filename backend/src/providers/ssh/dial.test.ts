import { expect, test } from 'vitest'
import { dial, mayBeServer } from './dial.ts'

test.each([
  ['203.0.113.9', true],
  ['10.0.0.7', true],
  ['2001:db8::1', true],
  ['127.0.0.1', false],
  ['0.0.0.0', false],
  ['169.254.169.254', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['fe80::1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:169.254.169.254', false],
])('T10 %s may be a server: %s', (address, expected) => expect(mayBeServer(address)).toBe(expected))

test.each(['localhost', '127.0.0.1', '169.254.169.254', '2130706433'])(
  'T10 %s is not dialled, by whatever name it comes',
  (host) =>
    expect(dial(host, 22, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'ssh-unreachable',
      message: expect.stringMatching(/no server of yours|leads nowhere/),
    }),
)
