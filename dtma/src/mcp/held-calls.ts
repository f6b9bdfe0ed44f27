import { randomBytes } from 'node:crypto'
import { CODE, type JsonRpcAnswer, type JsonRpcNotification, type JsonRpcRequest } from '../contract/json-rpc.ts'
import type { RequestClient } from '../contract/mcp.ts'
import { problem } from '../contract/problems.ts'
import { notOffered } from './asked.ts'
import { lost, type UpstreamRequest } from './upstream.ts'

/**
 * Servers of earlier revisions ask their client in the midst of a call. Here that becomes what the modern revision has instead:
 * the call is answered with what is wanted (`input_required`), the server waits, and goes on when the call comes again with it.
 */
export interface HeldCalls {
  run(
    request: UpstreamRequest,
    client: RequestClient,
    send: (request: UpstreamRequest) => Promise<JsonRpcAnswer>,
  ): Promise<JsonRpcAnswer>
  /** The connection is gone: nothing that waits can go on. */
  close(): void
}

/** How long a server waits for a person. */
const HELD_MS = 10 * 60_000
const MOST_HELD = 32
/** What a server asks within this time is asked at once. */
const GATHER_MS = 5

/** Ability that a client must have to be asked. */
const ABILITY: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
}

const NEVER = new Promise<never>(() => {})

interface Question {
  readonly request: JsonRpcRequest
  readonly settle: (answer: JsonRpcAnswer) => void
}

interface Held {
  ended: Promise<JsonRpcAnswer>
  readonly questions: Map<string, Question>
  readonly giveUp: (why: unknown) => void
  /** Hears of a question that was not there before. */
  asked: () => void
  /** Who listens now. */
  onNotification: ((notification: JsonRpcNotification) => void) | undefined
  /** Set while it waits for its client to come back. */
  expiry: NodeJS.Timeout | undefined
}

export function createHeldCalls({ heldMs = HELD_MS }: { readonly heldMs?: number } = {}): HeldCalls {
  const held = new Map<string, Held>()

  function begin(
    request: UpstreamRequest,
    { capabilities }: RequestClient,
    send: (request: UpstreamRequest) => Promise<JsonRpcAnswer>,
  ): Held {
    const end = new AbortController()
    const questions = new Map<string, Question>()
    let count = 0
    const ask = (asked: JsonRpcRequest): Promise<JsonRpcAnswer> => {
      const ability = ABILITY[asked.method]
      if (ability === undefined || capabilities[ability] === undefined) return Promise.resolve(notOffered(asked.method))
      return new Promise((settle) => {
        count += 1
        questions.set(String(count), { request: asked, settle })
        call.asked()
      })
    }
    const { inputResponses: _, requestState: __, ...params } = request.params ?? {}
    const call: Held = {
      ended: NEVER,
      questions,
      giveUp: (why) => end.abort(why),
      asked: () => {},
      onNotification: request.onNotification,
      expiry: undefined,
    }
    call.ended = send({
      ...request,
      params,
      signal: end.signal,
      isAsking: () => call.expiry !== undefined,
      onNotification: (notification) => call.onNotification?.(notification),
      ...(Object.keys(capabilities).length === 0 ? {} : { onRequest: ask }),
    })
    // Whoever comes back for it hears of the failure; until then nobody listens.
    call.ended.catch(() => {})
    return call
  }

  /** Waits for the end or for the next question, on behalf of the one who calls now. */
  async function attend(call: Held, { signal, onNotification }: UpstreamRequest): Promise<JsonRpcAnswer> {
    const leave = () => call.giveUp(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
    call.onNotification = onNotification
    try {
      const first = await Promise.race([call.ended, nextQuestion(call)])
      if (first !== 'asked') return first
    } finally {
      signal.removeEventListener('abort', leave)
      call.onNotification = undefined
    }
    return hold(call)
  }

  function hold(call: Held): JsonRpcAnswer {
    if (held.size >= MOST_HELD) {
      const busy = problem('too-busy', `${MOST_HELD} calls of this tool wait for their clients already`)
      call.giveUp(busy)
      throw busy
    }
    const requestState = randomBytes(24).toString('base64url')
    held.set(requestState, call)
    call.expiry = setTimeout(() => {
      held.delete(requestState)
      call.giveUp(new Error('nobody answered what the tool asked'))
    }, heldMs)
    call.expiry.unref()
    const inputRequests = Object.fromEntries(
      [...call.questions].map(
        ([
          key,
          {
            request: { method, params },
          },
        ]) => [key, { method, params: params ?? {} }],
      ),
    )
    return { result: { resultType: 'input_required', inputRequests, requestState } }
  }

  function resume(state: string, responses: unknown): Held | undefined {
    const call = held.get(state)
    if (!call) return undefined
    held.delete(state)
    clearTimeout(call.expiry)
    call.expiry = undefined
    for (const [key, { settle }] of call.questions) {
      const response = (Object(responses) as Record<string, unknown>)[key]
      if (typeof response !== 'object' || response === null || Array.isArray(response)) continue
      call.questions.delete(key)
      settle({ result: response as Record<string, unknown> })
    }
    return call
  }

  return {
    run(request, client, send) {
      const { requestState, inputResponses } = request.params ?? {}
      const call =
        typeof requestState === 'string' ? resume(requestState, inputResponses) : begin(request, client, send)
      return call ? attend(call, request) : Promise.resolve(UNKNOWN_STATE)
    },
    close() {
      for (const call of held.values()) {
        clearTimeout(call.expiry)
        call.giveUp(lost())
      }
      held.clear()
    },
  }
}

const UNKNOWN_STATE: JsonRpcAnswer = {
  error: {
    code: CODE.invalidParams,
    message: 'Invalid or expired requestState',
    data: { reason: 'invalid_request_state' },
  },
}

function nextQuestion(call: Held): Promise<'asked'> {
  return new Promise((resolve) => {
    const soon = () => void setTimeout(() => resolve('asked'), GATHER_MS)
    call.asked = soon
    if (call.questions.size > 0) soon()
  })
}
