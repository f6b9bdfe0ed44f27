import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../store/connect.ts'
import { openTestStore } from '../../store/testing.ts'
import { ENROL_MS } from './droplet.step.ts'
import { dropletScene } from './droplet.testing.ts'

// A droplet that enrols long after it was up has its time to the first heartbeat from then on.

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

const MINUTE = 60_000

test.each(['quarantined', 'error_provisioning'] as const)(
  'one that was %s and enrols is not given up on at the next look, but after twenty minutes',
  async (status) => {
    const scene = await dropletScene(store)
    await scene.upAndActive()
    const { accountId, id, clock, change, uplink, enrol, run, row } = scene
    await clock.advance(60 * MINUTE)
    await change({ status })
    expect((await enrol(await uplink.token({ id, accountId }))).status).toBe(201)
    await run(MINUTE)
    expect(await row()).toMatchObject({ status: 'awaiting_heartbeat', statusReason: null })
    await run(ENROL_MS)
    expect(await row()).toMatchObject({ status: 'error_provisioning' })
  },
)
