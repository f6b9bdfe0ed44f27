import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { Clock } from './clock.ts'
import { fakeControlPlane } from './control-plane.testing.ts'
import { startTestUplink, TOKEN } from './uplink.testing.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const RENEW_MS = 1_200_000

/** Three hours of DTMA in a second: whoever sleeps has slept. @param jumpMs What its wall clock is set forward after an hour. */
async function threeHours(jumpMs: number) {
  const plane = await fakeControlPlane()
  const directory = mkdtempSync(join(tmpdir(), 'dtma-jump-'))
  const stop = new AbortController()
  const renewedAt: number[] = []
  let steady = 0
  const clock: Clock = {
    now: () => Date.UTC(2026, 0, 1) + steady + (steady > HOUR_MS ? jumpMs : 0),
    steady: () => steady,
    random: () => 0.5,
    async sleep(ms, signal) {
      await turn()
      if (signal.aborted) return
      steady += ms
      if (steady > 3 * HOUR_MS) stop.abort()
    },
  }
  plane.tokens.add(TOKEN)
  plane.renewing = () => {
    renewedAt.push(steady)
    const counter = renewedAt.length
    return { dtmaBearerToken: `renewed-${counter}`, counter, renewInSeconds: RENEW_MS / 1_000 }
  }
  const { uplink, log } = startTestUplink({
    baseUrl: plane.baseUrl,
    directory,
    signal: stop.signal,
    more: { listener: undefined, clock },
  })
  await vi.waitFor(() => expect(stop.signal.aborted).toBe(true), 20_000)
  await uplink.stopped
  await plane.close()
  rmSync(directory, { recursive: true })
  const full = plane.beats.filter(({ tools }) => tools !== undefined).length
  return { renewedAt, full, beats: plane.beats, said: log.said.filter((line) => !line.startsWith('enrolled')) }
}

test.each([
  ['forward', DAY_MS],
  ['back', -DAY_MS],
])(
  'D15: a clock that jumps a day %s causes no storm and no silence: renewals and reports keep their pace',
  async (_, jumpMs) => {
    const calm = await threeHours(0)
    const jumped = await threeHours(jumpMs)
    expect(jumped.renewedAt).toEqual(calm.renewedAt)
    expect(jumped.renewedAt.length).toBeGreaterThan(8)
    const pauses = jumped.renewedAt.slice(1).map((at, index) => at - jumped.renewedAt[index]!)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(RENEW_MS)
    expect(jumped.beats.length).toBe(calm.beats.length)
    expect(jumped.full).toBe(calm.full)
    expect(jumped.said).toEqual(calm.said)
    // The machine says what it believes; the control plane tells people how far that is off.
    const sent = jumped.beats.map(({ sentAt }) => sentAt)
    expect(Math.max(...sent.map((at, index) => Math.abs(at! - (sent[index - 1] ?? at!))))).toBeGreaterThan(DAY_MS / 2)
  },
)
