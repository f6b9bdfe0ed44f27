import { expect, test } from 'vitest'
import { createTunnelSwitch } from './tunnel-switch.ts'

/** Work that runs until it is told to end. */
const lasting = (log: string[]) => (signal: AbortSignal) => {
  log.push('begins')
  return new Promise<'stopped'>((resolve) =>
    signal.addEventListener('abort', () => {
      log.push('ends')
      resolve('stopped')
    }),
  )
}

test('the work runs while it is on, and anew when it is on again', async () => {
  const tunnel = createTunnelSwitch()
  const stop = new AbortController()
  const log: string[] = []
  const ended = tunnel.whileOn(lasting(log), stop.signal)
  tunnel.turn(true)
  expect(log).toEqual(['begins'])
  tunnel.turn(false)
  await expect.poll(() => log).toEqual(['begins', 'ends'])
  tunnel.turn(true)
  await expect.poll(() => log).toEqual(['begins', 'ends', 'begins'])
  stop.abort()
  expect(await ended).toBe('stopped')
})

test('what ends by itself is over: a refusal is not asked for again', async () => {
  expect(await createTunnelSwitch().whileOn(async () => 'refused', new AbortController().signal)).toBe('refused')
})

test('while it is off it waits, and ends when it is told to', async () => {
  const tunnel = createTunnelSwitch()
  tunnel.turn(false)
  const stop = new AbortController()
  const log: string[] = []
  const ended = tunnel.whileOn(lasting(log), stop.signal)
  stop.abort()
  expect([await ended, log]).toEqual(['stopped', []])
})
