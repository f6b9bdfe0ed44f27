import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TUNNEL_CLOSE } from '../contract/index.ts'
import { type FakeControlPlane, fakeControlPlane } from './control-plane.testing.ts'
import { openIdentity } from './identity.ts'
import { startTestUplink, TOKEN } from './uplink.testing.ts'
import type { UplinkDeps } from './uplink.ts'

const OTHER = 'another-0123456789abcdef'

let plane: FakeControlPlane
let directory: string
let stop: AbortController
beforeEach(async () => {
  plane = await fakeControlPlane()
  directory = mkdtempSync(join(tmpdir(), 'dtma-uplink-'))
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await plane.close()
  rmSync(directory, { recursive: true })
})

function started(token?: () => string | undefined, more: Partial<UplinkDeps> = {}) {
  const { uplink, ...seen } = startTestUplink({
    baseUrl: plane.baseUrl,
    directory,
    ...(token ? { token } : {}),
    signal: stop.signal,
    more,
  })
  return { ...uplink, ...seen }
}

const connected = (count = 1) =>
  vi.waitFor(() => {
    expect(plane.tunnels.length).toBeGreaterThanOrEqual(count)
    expect(plane.beats.length).toBeGreaterThan(0)
  })

test('enrols, reports and connects; the credentials outlive a restart', async () => {
  plane.tokens.add(TOKEN)
  const { received, stopped } = started()
  await connected()
  expect(received).toEqual([
    {
      toolboxId: 'toolbox_a',
      epoch: 1,
      dtmaBearerToken: 'bearer-of-epoch-1',
      backendToDtmaApiKey: 'api-key-of-epoch-1',
    },
  ])
  stop.abort()
  await stopped
  stop = new AbortController()
  plane.tokens.clear()
  const again = started(() => undefined)
  await connected(2)
  expect(again.received).toEqual(received)
  expect(plane.enrolments).toHaveLength(1)
})

test('says goodbye when it stops', async () => {
  plane.tokens.add(TOKEN)
  const { stopped } = started()
  await connected()
  const closed = new Promise((resolve) => plane.tunnels[0]!.once('close', resolve))
  stop.abort()
  await stopped
  expect(await closed).toBe(TUNNEL_CLOSE.stopping)
})

test('a lost reply of the enrolment is asked for again, with the same key', async () => {
  plane.tokens.add(TOKEN)
  plane.instead = (_, response) => void response.destroy()
  started()
  await vi.waitFor(() => expect(plane.enrolments).toHaveLength(0))
  await new Promise((resolve) => setTimeout(resolve, 100))
  plane.instead = undefined
  await connected()
  expect(new Set(plane.enrolments.map(({ publicKey }) => publicKey)).size).toBe(1)
})

test('a token that is refused is said so once, and a new one in its place is taken', async () => {
  let token = TOKEN
  const { log, waits } = started(() => token)
  await vi.waitFor(() => expect(plane.enrolments.length).toBeGreaterThan(3))
  expect(waits.every((ms) => ms === 30_000)).toBe(true)
  expect(log.said).toEqual([expect.stringContaining('enrolment-refused')])
  plane.tokens.add(OTHER)
  token = OTHER
  await connected()
  expect(log.said.join()).not.toContain(TOKEN)
})

test('credentials that are refused are tried again each minute: it may be a mistake', async () => {
  plane.tokens.add(TOKEN)
  const { log, waits } = started()
  await connected()
  const { bearer } = plane
  plane.bearer = 'revoked'
  plane.tunnels[0]!.close(TUNNEL_CLOSE.revoked)
  await vi.waitFor(() => expect(waits.filter((ms) => ms === 60_000).length).toBeGreaterThan(2))
  expect(log.said.filter((line) => line.includes('does not accept our credentials'))).toHaveLength(1)
  expect(plane.enrolments).toHaveLength(1) // the token that we have used is not used again
  plane.bearer = bearer
  await connected(2)
})

test('after a refusal a new token makes new credentials', async () => {
  plane.tokens.add(TOKEN).add(OTHER)
  let token = TOKEN
  const { received } = started(() => token)
  await connected()
  plane.bearer = 'revoked'
  plane.tunnels[0]!.close(TUNNEL_CLOSE.revoked)
  token = OTHER
  await connected(2)
  expect(received.at(-1)).toMatchObject({ epoch: 2, backendToDtmaApiKey: 'api-key-of-epoch-2' })
  expect(openIdentity(directory).credentials()).toEqual(received.at(-1))
})

test('one that was superseded falls silent', async () => {
  plane.tokens.add(TOKEN)
  const { log, stopped } = started()
  await connected()
  plane.tunnels[0]!.close(TUNNEL_CLOSE.superseded)
  await stopped
  expect(log.said.at(-1)).toContain('another DTMA with this identity has taken over')
})

test('given credentials need no enrolment', async () => {
  plane.bearer = 'given-by-environment'
  const { received } = started(() => TOKEN, { given: { dtmaBearerToken: plane.bearer } })
  await connected()
  expect([plane.enrolments, received]).toEqual([[], []])
})

test('a control plane that cuts every tunnel at once is dialled less and less often', async () => {
  plane.tokens.add(TOKEN)
  const { waits } = started()
  for (let n = 0; n < 6; n += 1) {
    await vi.waitFor(() => expect(plane.tunnels).toHaveLength(n + 1))
    plane.tunnels[n]!.terminate()
  }
  await vi.waitFor(() => expect(waits).toEqual(expect.arrayContaining([550, 1_050, 2_050, 4_050, 8_050, 16_050])))
})

test('the credential is renewed at the start, and the renewed one outlives a restart', async () => {
  plane.tokens.add(TOKEN)
  plane.renewing = () => {
    const counter = plane.renewals.length
    return { dtmaBearerToken: `renewed-${counter}`, counter, renewInSeconds: 1_200 }
  }
  const { stopped } = started()
  await connected()
  expect(plane.bearer).toBe('renewed-1')
  stop.abort()
  await stopped
  stop = new AbortController()
  started(() => undefined)
  await connected(2)
  expect(plane.renewals.map(({ counter }) => counter)).toEqual([0, 1])
  expect(plane.bearer).toBe('renewed-2')
})

test('a renewal whose reply was lost is repeated as the same one, also after a restart', async () => {
  plane.tokens.add(TOKEN)
  const { renewals } = plane
  plane.renewing = () => 'lost'
  const first = started()
  await vi.waitFor(() => expect(renewals.length).toBeGreaterThan(0))
  stop.abort()
  await first.stopped
  plane.renewing = () => ({ dtmaBearerToken: 'renewed', counter: 1, renewInSeconds: 1_200 })
  stop = new AbortController()
  started(() => undefined)
  await vi.waitFor(() => expect(plane.bearer).toBe('renewed'))
  expect(new Set(renewals.map(({ attempt }) => attempt)).size).toBe(1)
  expect(new Set(renewals.map(({ challenge }) => challenge)).size).toBe(renewals.length)
})
