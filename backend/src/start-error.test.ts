import { problem } from '@agentopia/api'
import { expect, test } from 'vitest'
import { StartError, startFailure } from './start-error.ts'
import { StoreError } from './store/store-error.ts'

const errno = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more })

test.each([
  ['a taken port', errno('EADDRINUSE', { port: 3000 }), 'The port 3000 is in use by another program'],
  ['a port for root', errno('EACCES', { port: 80 }), 'This user may not listen on port 80'],
  ['an address of another machine', errno('EADDRNOTAVAIL'), 'This machine does not have the address of HOST'],
  ['a full disk', errno('ENOSPC'), 'The disk is full'],
  ['a full disk that PostgreSQL met', new Error('insert', { cause: errno('53100') }), 'The disk is full'],
  ['a directory of another user', errno('EACCES', { path: '/data' }), 'This user may not write /data'],
  ['a read-only disk', errno('EROFS', { path: '/data' }), 'This user may not write /data'],
  ['a file where the directory should be', errno('ENOTDIR', { path: '/data/x' }), '/data/x is in the way'],
  ['a database that went away', problem('store-unavailable', 'no answer'), 'The database does not answer'],
  ['a store that does not open', new StoreError('No database', 'Start it.'), 'No database'],
])('%s is one sentence with its fix', (_, error, sentence) => {
  const failure = startFailure(error)
  expect(failure?.message).toBe(sentence)
  expect(failure?.fix).toMatch(/^[A-Z].+\.$/)
  expect(failure?.exitCode).toBe(1)
})

test('a failure that says itself what to do is left as it is', () => {
  const error = new StartError('PORT: wrong', 'Set it.', { exitCode: 78 })
  expect(startFailure(error)).toBe(error)
})

test('a bug is not explained away', () => {
  expect(startFailure(new TypeError('x is not a function'))).toBeUndefined()
})
