import type { WebSocket } from 'ws'
import type { Answer, Fetch } from '../contract/client.ts'
import { TUNNEL_BEAT_MOST, TUNNEL_BEATS_PROTOCOL, TunnelBeatReply } from '../contract/uplink.ts'

/** Heartbeats by the tunnel, where one is open that takes them, and by HTTP where not: a tunnel that broke costs none. */
export interface TunnelBeats {
  readonly fetch: Fetch<Answer>
  /** A tunnel is open. @returns What takes its text messages; `undefined` when its other end knows no heartbeats. */
  opened(ws: WebSocket): ((text: string) => void) | undefined
}

/** A tunnel that does not answer within this time is left alone for this heartbeat; there is time for one by HTTP. */
const ANSWER_MS = 4_000

/** @param byHttp Takes what the tunnel does not. */
export function createTunnelBeats(byHttp: Fetch<Answer>): TunnelBeats {
  let open: WebSocket | undefined
  let nextId = 0
  let waiting: { readonly id: number; readonly settle: (answer: Answer | undefined) => void } | undefined

  function opened(ws: WebSocket): ((text: string) => void) | undefined {
    if (ws.protocol !== TUNNEL_BEATS_PROTOCOL) return undefined
    open = ws
    ws.once('close', () => {
      if (open !== ws) return
      open = undefined
      waiting?.settle(undefined)
    })
    return (text) => {
      const { id, status, body } = TunnelBeatReply.parse(JSON.parse(text))
      if (waiting?.id === id) waiting.settle({ ok: status >= 200 && status < 300, status, json: async () => body })
    }
  }

  /** @returns `undefined` when no answer came by this way. */
  function ask(
    ws: WebSocket,
    message: string,
    id: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const settle = (answer: Answer | undefined) => {
        clearTimeout(patience)
        signal?.removeEventListener('abort', giveUp)
        waiting = undefined
        resolve(answer)
      }
      const giveUp = () => {
        settle(undefined)
        reject(signal?.reason)
      }
      const patience = setTimeout(() => settle(undefined), ANSWER_MS)
      signal?.addEventListener('abort', giveUp)
      waiting = { id, settle }
      ws.send(message)
    })
  }

  return {
    opened,
    async fetch(url, init = {}) {
      const { body, headers, signal } = init
      if (!open || waiting || typeof body !== 'string') return byHttp(url, init)
      const id = nextId
      nextId += 1
      const token = headers?.['authorization']?.replace(/^Bearer /, '')
      const message = JSON.stringify({ id, token, body: JSON.parse(body) })
      const answer = message.length < TUNNEL_BEAT_MOST && (await ask(open, message, id, signal))
      signal?.throwIfAborted()
      return answer || byHttp(url, init)
    },
  }
}
