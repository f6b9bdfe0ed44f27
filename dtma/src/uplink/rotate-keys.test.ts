import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TUNNEL_CLOSE } from '../contract/index.ts'
import { type FakeControlPlane, fakeControlPlane } from './control-plane.testing.ts'
import { openIdentity } from './identity.ts'
import { startTestUplink, TOKEN } from './uplink.testing.ts'

const HANDED = 'handed-0123456789abcdef'

let plane: FakeControlPlane
let directory: string
let stop: AbortController
beforeEach(async () => {
  plane = await fakeControlPlane()
  plane.tokens.add(TOKEN)
  directory = mkdtempSync(join(tmpdir(), 'dtma-rotate-'))
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await plane.close()
  rmSync(directory, { recursive: true })
})

function dtma() {
  stop = new AbortController()
  return startTestUplink({ baseUrl: plane.baseUrl, directory, signal: stop.signal }) // the file with the token stays where it is
}

const connected = (count = 1) => vi.waitFor(() => expect(plane.tunnels.length).toBeGreaterThanOrEqual(count))
const keys = () => plane.enrolments.map(({ publicKey }) => publicKey)

test('a token that is handed over is traded for other credentials with a fresh key, and the file is not asked again', async () => {
  const { uplink, received } = dtma()
  await connected()
  plane.tokens.add(HANDED)
  uplink.enrolAnew(HANDED)
  uplink.enrolAnew(HANDED) // the request was repeated
  await vi.waitFor(() => expect(received.at(-1)?.epoch).toBe(2))
  plane.tunnels[0]!.close(TUNNEL_CLOSE.revoked) // as the control plane does
  await connected(2)
  expect(new Set(keys()).size).toBe(2)
  expect(openIdentity(directory).credentials()).toEqual(received.at(-1))

  stop.abort()
  await uplink.stopped
  dtma()
  await connected(3)
  expect(plane.enrolments).toHaveLength(2)
})

test('until the new credentials are there, DTMA reports with the old ones; a token that is refused is forgotten', async () => {
  const { uplink, received } = dtma()
  await connected()
  uplink.enrolAnew(HANDED) // nobody knows it
  await vi.waitFor(() => expect(plane.enrolments).toHaveLength(2))
  const beats = plane.beats.length
  await vi.waitFor(() => expect(plane.beats.length).toBeGreaterThan(beats))
  expect(plane.tunnels).toHaveLength(1)
  expect(received.at(-1)?.epoch).toBe(1)
  await vi.waitFor(() => expect(openIdentity(directory).handedToken()).toBeUndefined())
})

test('a DTMA that is killed before the reply comes asks for it again with the same key, although its old credentials are void', async () => {
  const first = dtma()
  await connected()
  plane.tokens.add(HANDED)
  // The control plane stores the enrolment, and the reply never comes.
  plane.instead = (_, response) => void response.destroy()
  openIdentity(directory).hold(HANDED)
  const made = openIdentity(directory).enrolmentKey().publicKey
  stop.abort()
  await first.uplink.stopped
  plane.instead = undefined
  plane.bearer = 'of the enrolment whose reply was lost'

  const { received } = dtma()
  await connected(2)
  expect(keys().at(-1)).toBe(made)
  expect(received.at(-1)?.epoch).toBe(plane.enrolments.length)
})

test('a reply that was lost is asked for again soon, not in a minute', async () => {
  const { uplink, waits, received } = dtma()
  await connected()
  plane.tokens.add(HANDED)
  plane.instead = (request, response) => {
    if (request.url === '/dtma/enrol') plane.bearer = 'of the enrolment whose reply was lost'
    response.destroy()
  }
  uplink.enrolAnew(HANDED)
  await vi.waitFor(() => expect(plane.bearer).toContain('lost'))
  plane.instead = undefined
  await vi.waitFor(() => expect(received.at(-1)?.epoch).toBe(2))
  expect(waits).not.toContain(60_000)
})
