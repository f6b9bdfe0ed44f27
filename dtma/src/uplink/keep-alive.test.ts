import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { keepAlive } from './keep-alive.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function started() {
  const ping = vi.fn()
  const ws = Object.assign(new EventEmitter(), { OPEN: 1, readyState: 1, ping })
  const silent = vi.fn()
  keepAlive(ws as unknown as WebSocket, silent)
  return { ws, ping, silent }
}

test('pings every 10 s', () => {
  const { ws, ping, silent } = started()
  ping.mockImplementation(() => ws.emit('pong'))
  vi.advanceTimersByTime(100_000)
  expect(ping).toHaveBeenCalledTimes(10)
  expect(silent).not.toHaveBeenCalled()
})

test('L07 notices silence once, within 20 s', () => {
  const { silent } = started()
  vi.advanceTimersByTime(14_999)
  expect(silent).not.toHaveBeenCalled()
  vi.advanceTimersByTime(5_001)
  expect(silent).toHaveBeenCalledOnce()
  vi.advanceTimersByTime(100_000)
  expect(silent).toHaveBeenCalledOnce()
})

test.each(['message', 'ping', 'pong'])('a %s is a life sign', (event) => {
  const { ws, silent } = started()
  for (let n = 0; n < 10; n += 1) {
    vi.advanceTimersByTime(12_000)
    ws.emit(event)
  }
  expect(silent).not.toHaveBeenCalled()
})

test('having stood still ourselves is not the silence of the peer', () => {
  const { ws, silent } = started()
  vi.advanceTimersByTime(5_000)
  vi.setSystemTime(Date.now() + 3_600_000)
  const now = performance.now()
  vi.spyOn(performance, 'now').mockReturnValue(now + 3_600_000)
  vi.advanceTimersToNextTimer()
  expect(silent).not.toHaveBeenCalled()
  ws.emit('close')
  expect(vi.getTimerCount()).toBe(0)
})
