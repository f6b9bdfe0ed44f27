import { expect, test } from 'vitest'
import { isLoopback } from './loopback.ts'

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::1', true],
  ['[::1]', true],
  ['box.localhost', true],
  ['localhost.example.com', false],
  ['notlocalhost', false],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.5', false],
  ['::ffff:10.0.0.5', false],
  ['127.example.com', false],
  ['', false],
])('%s is met from this machine alone: %s', (host, expected) => expect(isLoopback(host)).toBe(expected))
