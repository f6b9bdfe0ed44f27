import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'vitest'
import { openLine } from './network.testing.ts'

const HOUR = 3_600_000
const PATIENCE = { timeout: 60_000, interval: 200 } as const

/** The tests wait for real: they do so side by side. */
describe.concurrent('the line between DTMA and the control plane', { timeout: 170_000 }, () => {
  test('N01 after a day without a line the toolbox is active again by itself, though its credential ran out', async ({
    expect,
  }) => {
    const line = await openLine(20)
    try {
      await expect.poll(line.status, PATIENCE).toBe('active')
      line.proxy.up.down = true
      line.proxy.down.down = true
      line.clock.jump(24 * HOUR)
      await expect.poll(line.status, PATIENCE).toBe('unresponsive') // five minutes of grace after such a jump
      expect(['not_answering', 'unreachable']).toContain((await line.look()).code)

      line.proxy.up.down = false
      line.proxy.down.down = false
      line.proxy.reset() // what was under way for a day has run out
      const healedAt = Date.now()
      await expect.poll(line.status, PATIENCE).toBe('active')
      expect(Date.now() - healedAt).toBeLessThan(60_000)
      await expect.poll(async () => (await line.look()).code, PATIENCE).toBe('reachable')
      expect([await line.told('toolbox.recovered'), await line.told('toolbox.quarantined')]).toEqual([1, 0])
    } finally {
      await line.close()
    }
  })

  test('N02 with the way to the control plane cut it is unresponsive, with the way back cut it is known to live', async ({
    expect,
  }) => {
    const line = await openLine(3)
    try {
      await expect.poll(line.status, PATIENCE).toBe('active')
      await expect.poll(() => line.uplink.heard, PATIENCE).toBe(true)
      line.proxy.down.down = true // its heartbeats arrive; neither answers nor questions come back
      await expect.poll(() => line.uplink.heard, PATIENCE).toBe(false)
      expect((await line.look()).code).toMatch(/not_answering|unreachable/)
      await sleep(15_000)
      expect(await line.status()).toBe('active')
      line.proxy.down.down = false
      await expect.poll(() => line.uplink.heard, PATIENCE).toBe(true)

      line.proxy.up.down = true
      await expect.poll(line.status, PATIENCE).toBe('unresponsive')
      line.proxy.up.down = false
      await expect.poll(line.status, PATIENCE).toBe('active')
      await expect.poll(async () => (await line.look()).code, PATIENCE).toBe('reachable')
      expect(await line.told('toolbox.quarantined')).toBe(0)
    } finally {
      await line.close()
    }
  })

  test('N04 over 64 kbit/s, shared with a long answer, heartbeats are in time and short', async ({ expect }) => {
    const line = await openLine(3)
    try {
      await expect.poll(line.status, PATIENCE).toBe('active')
      await expect.poll(async () => (await line.look()).code, PATIENCE).toBe('reachable')
      line.proxy.up.bytesPerSecond = 8_000
      line.proxy.down.bytesPerSecond = 8_000
      line.answerWith(40_000) // five seconds of the line
      const before = line.proxy.passed.up
      expect((await line.look()).code).toBe('not_answering') // longer than a person is kept waiting: it is said
      await sleep(30_000)
      expect(await line.status()).toBe('active')
      expect(await line.told('toolbox.unresponsive')).toBe(0)
      // 90 seconds of DTMA: nine heartbeats, a long answer, and pings.
      expect(line.proxy.passed.up - before).toBeLessThan(40_000 + 12 * 4_096)
    } finally {
      await line.close()
    }
  })

  test('N05 where what is longer than 1,400 bytes vanishes, a call ends by its deadline and says so', async ({
    expect,
  }) => {
    const line = await openLine(3)
    try {
      await expect.poll(line.status, PATIENCE).toBe('active')
      await expect.poll(async () => (await line.look()).code, PATIENCE).toBe('reachable')
      line.proxy.up.blackHoleAbove = 1_400
      await expect.poll(async () => (await line.look()).code, PATIENCE).toBe('reachable') // it is short
      line.answerWith(5_000)
      const startedAt = Date.now()
      const { code, evidence, nextStep } = await line.look()
      expect(Date.now() - startedAt).toBeLessThan(10_000)
      expect([code, nextStep]).toEqual(['not_answering', expect.any(String)])
      expect(evidence.join()).toContain('no answer within')
      line.proxy.up.blackHoleAbove = undefined
      await expect.poll(async () => (await line.look()).code, PATIENCE).toBe('reachable') // over a new tunnel
    } finally {
      await line.close()
    }
  })

  test('N07 two seconds there and back, now more and now less: nothing is called dead', async ({ expect }) => {
    const line = await openLine(1)
    try {
      await expect.poll(line.status, PATIENCE).toBe('active')
      for (const way of [line.proxy.up, line.proxy.down]) {
        way.latencyMs = 900
        way.jitterMs = 200
      }
      for (let n = 0; n < 5; n += 1) {
        await sleep(5_000)
        // It is asked again where this machine, and not the line, was slow.
        await expect.poll(async () => (await line.look()).code).toBe('reachable')
      }
      expect([await line.status(), line.uplink.heard]).toEqual(['active', true])
      expect(await line.told('toolbox.unresponsive')).toBe(0)
    } finally {
      await line.close()
    }
  })

  test('L03 with three of ten packets lost for minutes, its status flaps at most once', async ({ expect }) => {
    let seed = 7
    const line = await openLine(3, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed / 2_147_483_648
    })
    try {
      await expect.poll(line.status, PATIENCE).toBe('active')
      line.proxy.up.loss = 0.3
      line.proxy.down.loss = 0.3
      await sleep(60_000) // three minutes of DTMA and of the control plane
      expect(await line.told('toolbox.unresponsive')).toBeLessThanOrEqual(1)
      await expect.poll(line.status, PATIENCE).toBe('active')
    } finally {
      await line.close()
    }
  })
})
