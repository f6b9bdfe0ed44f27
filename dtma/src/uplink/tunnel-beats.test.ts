import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { WebSocket } from 'ws'
import { TUNNEL_BEATS_PROTOCOL, TUNNEL_PROTOCOL } from '../contract/index.ts'
import { createTunnelBeats } from './tunnel-beats.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const URL = 'http://control-plane/dtma/heartbeat'
const beat = (over: object = {}) => ({
  method: 'POST',
  headers: { authorization: 'Bearer dtma_of_now' },
  body: JSON.stringify({ seq: 1 }),
  ...over,
})

function started(protocol: string = TUNNEL_BEATS_PROTOCOL) {
  const byHttp = vi.fn(async () => ({ ok: true, status: 200, json: async () => 'by HTTP' }))
  const beats = createTunnelBeats(byHttp)
  const sent: { id: number; token: string; body: unknown }[] = []
  const ws = Object.assign(new EventEmitter(), { protocol, send: (text: string) => sent.push(JSON.parse(text)) })
  const onText = beats.opened(ws as unknown as WebSocket)
  const say = (reply: object) => onText!(JSON.stringify(reply))
  return { beats, byHttp, sent, ws, onText, say }
}

test('a heartbeat goes by the tunnel with the credential of now, and its answer is that of the control plane', async () => {
  const { beats, byHttp, sent, say } = started()
  const answered = beats.fetch(URL, beat())
  expect(sent).toEqual([{ id: 0, token: 'dtma_of_now', body: { seq: 1 } }])
  say({ id: 0, status: 200, body: { nextInSeconds: 10 } })
  const answer = await answered
  expect([answer.ok, answer.status, await answer.json()]).toEqual([true, 200, { nextInSeconds: 10 }])
  expect(byHttp).not.toHaveBeenCalled()
})

test('a refusal by the tunnel is one', async () => {
  const { beats, byHttp, say } = started()
  const answered = beats.fetch(URL, beat())
  say({ id: 0, status: 409, body: { code: 'superseded' } })
  const answer = await answered
  expect([answer.ok, answer.status, await answer.json()]).toEqual([false, 409, { code: 'superseded' }])
  expect(byHttp).not.toHaveBeenCalled()
})

test.each(['', TUNNEL_PROTOCOL])(
  'where the other end of the tunnel chose "%s", heartbeats go by HTTP',
  async (protocol) => {
    const { beats, byHttp, sent, onText } = started(protocol)
    expect(onText).toBeUndefined()
    expect(await (await beats.fetch(URL, beat())).json()).toBe('by HTTP')
    expect([byHttp.mock.calls.length, sent]).toEqual([1, []])
  },
)

test('a tunnel that breaks before the answer costs no heartbeat: it goes by HTTP at once, and the next ones too', async () => {
  const { beats, byHttp, ws } = started()
  const answered = beats.fetch(URL, beat())
  ws.emit('close')
  expect(await (await answered).json()).toBe('by HTTP')
  await beats.fetch(URL, beat())
  expect(byHttp).toHaveBeenCalledTimes(2)
})

test('L07 a tunnel that is silent costs none either, and a late answer is that of no other', async () => {
  const { beats, byHttp, say } = started()
  const answered = beats.fetch(URL, beat())
  await vi.advanceTimersByTimeAsync(4_000)
  expect(await (await answered).json()).toBe('by HTTP')
  const next = beats.fetch(URL, beat())
  say({ id: 0, status: 200, body: 'late' })
  say({ id: 1, status: 200, body: 'in time' })
  expect(await (await next).json()).toBe('in time')
  expect(byHttp).toHaveBeenCalledTimes(1)
})

test('whoever gives up is told so, and nothing is sent again', async () => {
  const { beats, byHttp } = started()
  const gone = new AbortController()
  const answered = beats.fetch(URL, beat({ signal: gone.signal }))
  gone.abort(new Error('stopped'))
  await expect(answered).rejects.toThrow('stopped')
  expect(byHttp).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})

test('the end of an older tunnel is not that of the newer', async () => {
  const { beats, ws } = started()
  const newer = Object.assign(new EventEmitter(), { protocol: TUNNEL_BEATS_PROTOCOL, send: vi.fn() })
  beats.opened(newer as unknown as WebSocket)
  ws.emit('close')
  void beats.fetch(URL, beat()).catch(() => {})
  expect(newer.send).toHaveBeenCalledOnce()
})
