import { type CallOptions, createClient, type Input, type Operation, type Reply } from '@agentopia/api'
import { config } from 'zod/v4/core'
import { noteServerTime } from './server-clock.ts'
import { overNetwork } from './unreachable.ts'

// zod compiles its schemas with `new Function` where it may; our content security policy forbids it, and asking is a violation.
config({ jitless: true })

/** A read or a change that has no answer by then has failed. */
const DEADLINE_MS = 30_000

/** Same origin, cookie session. */
const client = createClient({
  baseUrl: '',
  fetch: async (url, init) => {
    const response = await overNetwork(() => fetch(url, { ...init, credentials: 'same-origin' }))
    noteServerTime(response.headers.get('date'), Date.now())
    const json = response.json.bind(response)
    return Object.assign(response, { json: () => overNetwork(json) }) // the line may break in the middle of an answer
  },
})

export interface Waiting extends CallOptions {
  readonly deadlineMs?: number
}

/** Calls an operation. @throws {ProblemError} what the server said. @throws {Unreachable} and a `DOMException` when nothing came. */
export function callOperation<Op extends Operation>(op: Op, input: Input<Op>, waiting: Waiting = {}) {
  const { signal, deadlineMs = DEADLINE_MS, ...options } = waiting
  const deadline = AbortSignal.timeout(deadlineMs)
  const either = signal ? AbortSignal.any([signal, deadline]) : deadline
  return client.call(op, input, { ...options, signal: either }) as Promise<Reply<Op>>
}

/** Opens a stream; it has no deadline but its signal. */
export const openStream = <Op extends Operation>(op: Op, input: Input<Op>, signal: AbortSignal): Promise<Response> =>
  client.open(op, input, { signal, headers: { accept: 'text/event-stream' } })
