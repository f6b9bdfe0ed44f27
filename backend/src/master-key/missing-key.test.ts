import { afterAll, beforeAll, expect, test } from 'vitest'
import { type As, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { createSealer, keyIdOf } from '../store/seal.ts'
import { furnishSealed, newKey } from './sealed.testing.ts'

// Some texts in the database are sealed under a master key that the control plane is not given.

const other = newKey()
let plane: TestControlPlane
let ann: As
let callId: string
beforeAll(async () => {
  plane = await openTestControlPlane()
  await plane.end()
  callId = (await furnishSealed(plane.store, createSealer(other), 'account_key')).callId
  plane = await openTestControlPlane(undefined, { store: plane.store })
  ann = await signedIn(plane, 'account_key', 'owner')
})
afterAll(() => plane.close())

const ask = async (path: string) => {
  const answer = await plane.request('GET', path, ann)
  return { status: answer.status, body: (await answer.json()) as { code?: string; items?: { action: string }[] } }
}

test('R09 the control plane starts, and the account is told which key is missing', async () => {
  const told = async () => JSON.stringify((await ask('/api/activity')).body)
  await expect.poll(told).toContain(`under the master key ${keyIdOf(other)}, which`)
})

test('R09 who asks for what is sealed under it is told so', async () => {
  for (const path of [`/api/calls/${callId}/payload`, '/api/approvals?state=waiting'])
    expect(await ask(path)).toMatchObject({ status: 503, body: { code: 'master-key-missing' } })
})
