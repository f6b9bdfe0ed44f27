import { ProblemError, problem } from '@agentopia/api'
import {
  type JsonRpcAnswer,
  type JsonRpcId,
  type JsonRpcNotification,
  mcpPathOf,
  ProblemDocument,
  parseMessage,
} from '@agentopia/dtma/contract'
import type { DtmaAddress } from '../toolboxes/dtma-client.ts'
import type { Road, RoadAnswer } from './road.ts'
import { readEvents, readText } from './upstream-body.ts'

interface UpstreamCall {
  readonly toolbox: DtmaAddress
  readonly instanceId: string
  /** Of the request; the answer carries it too. */
  readonly id: JsonRpcId
  /** The JSON-RPC request, written. */
  readonly request: string
  readonly timeoutMs: number
  /** The agent for which it is sent. */
  readonly caller?: string
  readonly signal: AbortSignal
  /** What the server says before its answer. Absent: nobody listens, and nothing is asked for. */
  readonly onNotification?: (notification: JsonRpcNotification) => void
}

interface UpstreamReply {
  readonly answer: JsonRpcAnswer
  /** The whole message as it came. */
  readonly written: string
}

/**
 * Sends one request to a tool, by the road to its toolbox. Sent once: what may have been executed is never repeated.
 * @throws {ProblemError} `toolbox-unreachable`, `instance-not-running`, `call-timeout`, `rate-limited` or `tool-failed`;
 *   or the signal's reason when it aborts.
 */
export type CallUpstream = (call: UpstreamCall) => Promise<UpstreamReply>

/** DTMA keeps the deadline itself, and says why it ended; we wait a little longer for its word. */
const DEADLINE_GRACE_MS = 2_000

export const createCallUpstream =
  (road: Road): CallUpstream =>
  async (call) => {
    const { toolbox, instanceId, request, timeoutMs, signal, onNotification } = call
    signal.throwIfAborted()
    const end = new AbortController()
    let late = false
    const deadline = setTimeout(() => {
      late = true
      end.abort(new Error('no answer came in time'))
    }, timeoutMs + DEADLINE_GRACE_MS)
    const giveUp = () => end.abort(signal.reason)
    signal.addEventListener('abort', giveUp)

    let answer: RoadAnswer | undefined
    try {
      answer = await road(toolbox, {
        method: 'POST',
        path: mcpPathOf(instanceId),
        headers: {
          'content-type': 'application/json',
          accept: onNotification ? 'application/json, text/event-stream' : 'application/json',
          'x-deadline-ms': String(timeoutMs),
          ...(call.caller === undefined ? {} : { 'x-caller': call.caller }),
        },
        body: request,
        signal: end.signal,
        mayShare: true,
      })
      return await replyOf(answer, call)
    } catch (error) {
      if (late) throw problem('call-timeout', `No answer came within ${timeoutMs} ms`, { cause: error })
      if (signal.aborted) throw signal.reason
      throw error instanceof ProblemError ? error : problem('tool-failed', 'The answer broke off', { cause: error })
    } finally {
      clearTimeout(deadline)
      signal.removeEventListener('abort', giveUp)
      if (answer && answer.text === undefined) answer.body.destroy()
    }
  }

async function replyOf(came: RoadAnswer, call: UpstreamCall): Promise<UpstreamReply> {
  const { status, headers } = came
  const text = async () => came.text ?? readText(came.body)
  if (status !== 200) throw refusalIn(await text(), status)
  if (!headers['content-type']?.startsWith('text/event-stream')) return answerIn(await text(), call)
  for await (const data of readEvents(came.body)) {
    const parsed = parseMessage(data)
    if (parsed?.kind === 'notification') call.onNotification?.(parsed.message)
    if (parsed?.kind === 'answer') return answerIn(data, call)
  }
  throw problem('tool-failed', 'The tool ended its answer before it was complete')
}

function answerIn(written: string, { id }: UpstreamCall): UpstreamReply {
  const parsed = parseMessage(written)
  if (parsed?.kind !== 'answer') throw problem('tool-failed', 'The tool did not answer with a JSON-RPC answer')
  if (parsed.id !== id) throw problem('tool-failed', 'The tool answered another question')
  return { answer: parsed.answer, written }
}

function refusalIn(text: string, status: number): ProblemError {
  const said = problemIn(text)
  return said ? translated(said) : problem('tool-failed', `The toolbox answered ${status}, not as DTMA does`)
}

/** What DTMA says, in the words of this API. */
export function translated(cause: ProblemError): ProblemError {
  const { code, message } = cause
  if (isLost(cause))
    return problem('tool-failed', 'The tool went away while it was asked, and may have done it', { cause })
  switch (code) {
    case 'tool-not-found':
    case 'tool-not-running':
      return problem('instance-not-running', message, { cause })
    case 'tool-timeout':
      return problem('call-timeout', message, { cause })
    case 'too-busy':
      return problem('rate-limited', message, { cause })
    case 'unauthenticated':
    case 'unconfigured':
    case 'engine-unavailable':
      return problem('toolbox-unreachable', message, { cause })
    default:
      return problem('tool-failed', message, { cause })
  }
}

/** What DTMA said before `tool-lost` was a code of its own; the same code without this sentence: nothing was sent. */
const LOST_BEFORE = 'The connection to the tool ended before it answered'

const isLost = ({ code, message }: ProblemError): boolean =>
  code === 'tool-lost' || (code === 'tool-not-running' && message === LOST_BEFORE)

/** The tool is not there, or was not there any more in the midst of the call: what was observed of it does not hold. */
export const isAway = (error: unknown): boolean =>
  error instanceof ProblemError &&
  (error.code === 'instance-not-running' || (error.cause instanceof ProblemError && isLost(error.cause)))

function problemIn(text: string): ProblemError | undefined {
  try {
    return ProblemError.fromDocument(ProblemDocument.parse(JSON.parse(text)))
  } catch {
    return undefined // not DTMA, or not one of ours: the caller says so
  }
}
