import type { JsonRpcAnswer, JsonRpcId, JsonRpcNotification } from '../contract/json-rpc.ts'
import { CALLS_AT_ONCE, META_KEY, mayAsk, metaOf } from '../contract/mcp.ts'
import { problem } from '../contract/problems.ts'
import type { UpstreamRequest } from './upstream.ts'

/** Requests that wait for their answers; more are refused. Beside the calls there is room for pings, lists and what lives on a subscription. */
const MOST = CALLS_AT_ONCE + 32

interface Waiting {
  readonly settle: (answer: JsonRpcAnswer) => void
  readonly fail: (error: unknown) => void
  readonly request: UpstreamRequest
  /** What the caller calls its progress; the server knows our id instead. */
  readonly progressToken: unknown
}

/** The requests in flight on one connection, under ids of our own: callers' ids may collide, and a server may make them up. */
export interface InFlight {
  /**
   * Registers a request, sends it under a fresh id and waits.
   * @param send Gets the id and the parameters to send; what it rejects with ends the request.
   * @param cancel Tells the server that nobody waits any more.
   */
  run(
    request: UpstreamRequest,
    send: (id: number, params: UpstreamRequest['params']) => Promise<void> | void,
    cancel: (id: number, reason: string) => void,
  ): Promise<JsonRpcAnswer>
  /** @returns False for an id that nobody waits for: unknown, answered, or given up. */
  answer(id: JsonRpcId, answer: JsonRpcAnswer): boolean
  /**
   * Gives a notification to the request that it belongs to.
   * @param of The request on whose stream it came, where each has its own.
   * @returns False when it belongs to none.
   */
  notify(notification: JsonRpcNotification, of?: JsonRpcId): boolean
  /** The request for whose sake the server asks something; `undefined` when there is a doubt. */
  asking(of?: JsonRpcId): UpstreamRequest | undefined
  failAll(error: unknown): void
}

/** @param firstId Where ids start; random, so that late answers to a predecessor's requests meet nobody. */
export function createInFlight(firstId: number): InFlight {
  const waiting = new Map<JsonRpcId, Waiting>()
  let nextId = firstId

  /**
   * Log messages and the server's own requests name none of ours: they belong to one only when no other could be meant. Among
   * calls of one caller, it is the one that has no question open.
   */
  function inDoubtNone(of?: JsonRpcId): UpstreamRequest | undefined {
    if (of !== undefined) return waiting.get(of)?.request
    const possible = [...waiting.values()].map(({ request }) => request).filter(({ method }) => mayAsk(method))
    const caller = possible[0]?.caller
    const isOneCaller = caller !== undefined && possible.every((request) => request.caller === caller)
    const meant = isOneCaller ? possible.filter((request) => !request.isAsking?.()) : possible
    return meant.length === 1 ? meant[0] : undefined
  }

  return {
    run(request, send, cancel) {
      const { signal, params } = request
      if (signal.aborted) return Promise.reject(signal.reason)
      if (waiting.size >= MOST) return Promise.reject(problem('too-busy', `${MOST} requests are waiting for this tool`))
      const id = nextId++
      return new Promise<JsonRpcAnswer>((settle, fail) => {
        const progressToken = metaOf(params)?.['progressToken']
        const giveUp = () => {
          waiting.delete(id)
          cancel(id, 'the caller gave up')
          fail(signal.reason)
        }
        const done =
          <Value>(end: (value: Value) => void) =>
          (value: Value) => {
            waiting.delete(id)
            signal.removeEventListener('abort', giveUp)
            end(value)
          }
        signal.addEventListener('abort', giveUp)
        const entry: Waiting = { settle: done(settle), fail: done(fail), request, progressToken }
        waiting.set(id, entry)
        const named =
          progressToken === undefined ? params : { ...params, _meta: { ...metaOf(params), progressToken: id } }
        send(id, named)?.catch(entry.fail)
      })
    },
    answer(id, answer) {
      const found = waiting.get(id)
      found?.settle(answer)
      return found !== undefined
    },
    notify({ method, params, jsonrpc }, of) {
      const progress =
        method === 'notifications/progress' ? waiting.get(params?.['progressToken'] as JsonRpcId) : undefined
      if (progress) {
        progress.request.onNotification?.({
          jsonrpc,
          method,
          params: { ...params, progressToken: progress.progressToken },
        })
        return true
      }
      const subscription = waiting.get(metaOf(params)?.[META_KEY.subscriptionId] as JsonRpcId)
      const meant = subscription?.request ?? (method === 'notifications/message' ? inDoubtNone(of) : undefined)
      meant?.onNotification?.({ jsonrpc, method, ...(params ? { params } : {}) })
      return meant !== undefined
    },
    asking: inDoubtNone,
    failAll(error) {
      for (const { fail } of [...waiting.values()]) fail(error)
    },
  }
}
