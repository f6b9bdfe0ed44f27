import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../../store/connect.ts'
import { openTestStore } from '../../store/testing.ts'
import { QUARANTINE_MS } from './droplet.sweep.ts'
import { dropletScene } from './droplet.testing.ts'

// Several control planes on one database work on one toolbox at once, and everything that can go wrong does, by the seed.

const SEEDS = Number(process.env['SEEDS'] ?? 30)
const REPLICAS = ['one', 'two', 'three'] as const
const ROUNDS = 40

let store: Store
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store[Symbol.asyncDispose]())

/** A number from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** One life of a toolbox under this seed. @param lagMs For so long a list does not show what was made. */
async function life(seed: number, lagMs: number) {
  const random = randomOf(seed)
  const scene = await dropletScene(store)
  const { step, make, clock, change, emulator, sweep, droplets } = scene
  emulator.knobs.listLagMs = lagMs
  const replicas = REPLICAS.map((name) => make(name))

  async function round(): Promise<void> {
    const chance = random()
    if (chance < 0.1) emulator.fail({ method: 'POST', path: /^\/v2\/droplets$/, answer: 'drop', afterEffect: true })
    else if (chance < 0.2) emulator.fail({ method: 'GET', path: /^\/v2\/droplets/, answer: 503 })
    const steps = replicas.map(async (replica) => {
      for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await new Promise(setImmediate)
      await step(replica).catch(() => {}) // the loop would come again
    })
    // Somebody is paused for longer than his lease, in the middle of whatever he does.
    if (random() < 0.3) await change({ leaseUntil: new Date(Date.now() - 1) })
    await Promise.all(steps)
    await clock.advance(Math.ceil(random() * 20_000))
  }

  for (let n = 0; n < ROUNDS && (await scene.row()).status !== 'awaiting_heartbeat'; n += 1) await round()
  for (let n = 0; n < 2; n += 1) {
    await sweep()
    await clock.advance(QUARANTINE_MS)
  }
  await sweep()
  const made = { droplets: droplets().length, row: await scene.row(), id: droplets()[0]?.id }

  await change({ desired: 'absent' })
  for (let n = 0; n < ROUNDS && (await scene.row()).status !== 'deprovisioned'; n += 1) await round()
  return { made, creates: scene.creates(), left: droplets().length, status: (await scene.row()).status }
}

test(
  'R01 three control planes on one database make one droplet for one toolbox, and leave none, whatever fails and whoever is paused',
  async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { made, left, status } = await life(seed, 0)
      expect([seed, made.droplets, made.row.doDropletId]).toEqual([seed, 1, made.id])
      expect([seed, left, status]).toEqual([seed, 0, 'deprovisioned'])
    }
  },
  10_000 + SEEDS * 3_000,
)

test(
  'R13 three control planes that do not see for a while what they made ask for it once',
  async () => {
    for (let seed = 1_001; seed <= 1_000 + SEEDS / 3; seed += 1) {
      const { made, creates, left } = await life(seed, 5_000)
      expect([seed, made.droplets, creates, left]).toEqual([seed, 1, 1, 0])
    }
  },
  10_000 + SEEDS * 3_000,
)
