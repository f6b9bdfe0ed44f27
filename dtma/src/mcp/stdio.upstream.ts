import { type JsonRpcRequest, parseMessage } from '../contract/json-rpc.ts'
import { problem } from '../contract/problems.ts'
import type { ToolChannel } from '../tools/tool-sessions.ts'
import { answerTo } from './asked.ts'
import { createGatheredLines } from './gathered-lines.ts'
import { createInFlight } from './in-flight.ts'
import { createLineReader } from './lines.ts'
import { lost, MAX_MESSAGE_BYTES, notConnected, type Upstream, type UpstreamEvents } from './upstream.ts'

export interface StdioCounters {
  /** Lines that were no JSON-RPC message. */
  invalid: number
  /** Lines that were too long. */
  dropped: number
  /** Answers that nobody waited for. */
  unasked: number
}

/** What waits in our process for a server that does not read its input, in bytes. */
const MAX_UNREAD_BYTES = 8 << 20

/** MCP over the standard streams of a container. A hostile server harms only its own answers. */
export function openStdio(
  channel: ToolChannel,
  firstId: number,
  { onNotification, onLost }: UpstreamEvents,
  counters: StdioCounters = { invalid: 0, dropped: 0, unasked: 0 },
): Upstream {
  const { stdin, stdout } = channel
  const lines = createGatheredLines(stdin)
  const inFlight = createInFlight(firstId)
  let closed = false

  function send(message: object): void {
    if (!closed) lines.write(JSON.stringify(message))
  }

  const readsNothing = () => lines.waiting > MAX_UNREAD_BYTES

  /** A server that asks and does not read gets no more answers: they would pile up here. */
  async function reply(request: JsonRpcRequest): Promise<void> {
    const answer = await answerTo(request, inFlight.asking())
    if (!readsNothing()) send({ jsonrpc: '2.0', id: request.id, ...answer })
  }

  function receive(line: string): void {
    const parsed = parseMessage(line)
    if (!parsed) counters.invalid += 1
    else if (parsed.kind === 'answer') counters.unasked += inFlight.answer(parsed.id, parsed.answer) ? 0 : 1
    else if (parsed.kind === 'request') void reply(parsed.message)
    else if (!inFlight.notify(parsed.message)) onNotification(parsed.message)
  }

  function end(): void {
    if (closed) return
    closed = true
    inFlight.failAll(lost())
    channel.close()
    onLost()
  }

  stdout.on(
    'data',
    createLineReader(MAX_MESSAGE_BYTES, receive, () => {
      counters.dropped += 1
    }),
  )
  stdout.once('end', end)
  stdout.once('close', end)
  stdin.on('error', end)

  return {
    request(request) {
      if (closed) return Promise.reject(notConnected())
      if (readsNothing()) return Promise.reject(problem('too-busy', 'The tool does not read its input'))
      return inFlight.run(
        request,
        (id, params) => send({ jsonrpc: '2.0', id, method: request.method, ...(params ? { params } : {}) }),
        (requestId, reason) =>
          send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } }),
      )
    },
    notify: (method, params) => send({ jsonrpc: '2.0', method, ...(params ? { params } : {}) }),
    close() {
      if (closed) return
      closed = true
      inFlight.failAll(lost())
      channel.close()
    },
  }
}
