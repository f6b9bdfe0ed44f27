import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createApp } from './app.ts'
import { ownNames } from './http/same-site.ts'

test('the start fails when an operation of the API is not mounted', () => {
  const deps = {
    authenticate: async () => undefined,
    requirePresence: async () => {},
    clientAddress: () => 'unknown',
    log: pino({ level: 'silent' }),
    own: ownNames({ host: '127.0.0.1', port: 3000 }, 'http://localhost:3000'),
    publicUrl: 'http://localhost:3000',
    pageDir: '/nowhere',
  }
  expect(() => createApp(deps, () => {})).toThrow(/not mounted: getMe, signIn/)
})
