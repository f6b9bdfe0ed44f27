import { defineUserOperation, OPERATIONS, secret, type UserOperation } from '@agentopia/api'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { type LeftOut, whyLeftOut } from './left-out.ts'

const operations = OPERATIONS as readonly UserOperation[]
const leftOut = (reason: LeftOut | undefined) =>
  operations.filter((op) => whyLeftOut(op, operations) === reason).map(({ id }) => id)

test.each<[LeftOut, readonly string[]]>([
  ['for-agents', ['executeCapability']],
  [
    'consent',
    ['describeAuthorization', 'approveCapabilities', 'startConnection', 'finishConnection', 'decideApproval'],
  ],
  ['read-by-another', ['refreshToolboxStatus']],
  ['stream', ['runOverSsh', 'followInstanceLogs', 'followChanges']],
  ['file', ['exportCalls']],
  ['upload', ['appendImageArchive']],
  ['takes-secret', ['setProviderToken', 'putRegistryCredential', 'putCredential', 'putOAuthClient']],
  ['shows-secret', ['createJoinLine']],
])('left out as %s: %j', (reason, ids) => {
  expect(leftOut(reason)).toEqual(ids)
})

test('whatever asks for the presence of a person is left out, and whatever anybody may call', () => {
  const stays = operations.filter((op) => whyLeftOut(op, operations) === undefined)
  expect(stays.length).toBeGreaterThan(70)
  expect(stays.filter(({ presence, auth }) => presence || auth === 'none')).toEqual([])
  expect(leftOut('presence')).toEqual(
    expect.arrayContaining(['createApiToken', 'createInvitation', 'createAgentToken', 'changeMemberRole']),
  )
})

const op = (more: Partial<UserOperation> = {}): UserOperation =>
  defineUserOperation({
    id: 'changeThing',
    summary: 'Change a thing',
    method: 'POST',
    path: '/api/things',
    auth: 'operator',
    status: 200,
    reply: z.object({ id: z.string() }),
    problems: [],
    ...more,
  })
const reasonOf = (more: Partial<UserOperation>) => whyLeftOut(op(more), [])

test('a new operation decides by what it says of itself', () => {
  expect(reasonOf({})).toBeUndefined()
  expect(reasonOf({ presence: 'of-sessions' })).toBe('presence')
  expect(reasonOf({ personal: 'consent' })).toBe('consent')
  expect(reasonOf({ body: z.object({ deep: z.array(z.object({ key: secret(z.string()).optional() })) }) })).toBe(
    'takes-secret',
  )
  expect(reasonOf({ body: z.union([z.object({ a: z.string() }), z.record(z.string(), secret(z.string()))]) })).toBe(
    'takes-secret',
  )
  expect(reasonOf({ query: z.object({ key: secret(z.string()).describe('It.') }) })).toBe('takes-secret')
  expect(reasonOf({ reply: z.object({ made: z.object({ key: secret(z.url()).nullable() }) }) })).toBe('shows-secret')
})
