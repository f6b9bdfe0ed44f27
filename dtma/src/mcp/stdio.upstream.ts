import { type JsonRpcRequest, parseMessage } from '../contract/json-rpc.ts'
import type { ProblemError } from '../contract/problem.ts'
import { problem } from '../contract/problems.ts'
import type { ToolChannel } from '../tools/tool-sessions.ts'
import { answerTo } from './asked.ts'
import { createGatheredLines } from './gathered-lines.ts'
import { createInFlight } from './in-flight.ts'
import { createLineReader } from './lines.ts'
import { createPace } from './pace.ts'
import { lost, MAX_MESSAGE_BYTES, notConnected, type Upstream, type UpstreamEvents } from './upstream.ts'

/** What waits in our process for a server that does not read its input, in bytes. */
const MAX_UNREAD_BYTES = 8 << 20
/**
 * Lines in a row that are no messages. A server may print its banner, and log where it should not: it answers a ping every half minute, and
 * that is a message. One that prints more than this between two is none.
 */
const MOST_INVALID = 100_000

/** MCP over the standard streams of a container. A hostile server harms only its own answers. */
export function openStdio(channel: ToolChannel, firstId: number, { onNotification, onLost }: UpstreamEvents): Upstream {
  const { stdin, stdout } = channel
  const lines = createGatheredLines(stdin)
  const inFlight = createInFlight(firstId)
  let invalid = 0
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
    if (closed) return
    const parsed = parseMessage(line)
    if (!parsed) return void noMessage()
    invalid = 0
    if (parsed.kind === 'answer') inFlight.answer(parsed.id, parsed.answer)
    else if (parsed.kind === 'request') void reply(parsed.message)
    else if (!inFlight.notify(parsed.message)) onNotification(parsed.message)
  }

  function noMessage(): void {
    invalid += 1
    if (invalid > MOST_INVALID)
      end(problem('tool-protocol-error', `The tool printed ${MOST_INVALID} lines in a row that are no messages of MCP`))
  }

  function end(why?: ProblemError): void {
    if (closed) return
    closed = true
    inFlight.failAll(lost(why && { cause: why })) // whether it did what it was asked, nobody knows
    channel.close()
    onLost(why)
  }

  createPace().read(stdout, createLineReader(MAX_MESSAGE_BYTES, receive, noMessage))
  stdout.once('end', () => end())
  stdout.once('close', () => end())
  stdin.on('error', () => end())

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
