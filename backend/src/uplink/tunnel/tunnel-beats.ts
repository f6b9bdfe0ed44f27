import { randomUUID } from 'node:crypto'
import { heartbeat, TUNNEL_BEAT_MOST, TunnelBeat } from '@agentopia/dtma/contract'
import { checkedInput } from '../../http/checked-input.ts'
import { problemOf } from '../../http/problem-response.ts'
import { RateLimited } from '../../http/rate-limited.ts'
import type { Log } from '../../log.ts'
import { parseCleanJson } from '../clean-json.ts'
import type { TakeHeartbeat } from '../heartbeat.routes.ts'

/**
 * Takes the text messages of one tunnel: heartbeats, which are answered as by HTTP. The tunnel carries them, and gives them no right.
 * @throws {Error} For a message that is none; the tunnel is not one of a DTMA.
 */
export type TakeText = (text: string) => void

/** @param send Sends a text message by the tunnel. */
export const createTunnelBeats =
  (take: TakeHeartbeat, log: Log) =>
  (send: (text: string) => void): TakeText => {
    let isBusy = false

    async function answer(token: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
      try {
        // A DTMA waits for its answer: whoever does not would fill the memory that all share.
        if (isBusy) throw new RateLimited('The heartbeat before is not answered yet', 1)
        isBusy = true
        try {
          const input = checkedInput(heartbeat, { params: {}, query: {}, body })
          return { status: heartbeat.status, body: await take(input, token) }
        } finally {
          isBusy = false
        }
      } catch (error) {
        const { document } = problemOf(error, randomUUID(), log)
        return { status: document.status, body: document }
      }
    }

    return (text) => {
      if (text.length > TUNNEL_BEAT_MOST) throw new Error('the heartbeat is too long')
      const { id, token, body } = TunnelBeat.parse(parseCleanJson(text))
      void answer(token, body).then((answered) => send(JSON.stringify({ id, ...answered })))
    }
  }
