import { setTimeout as sleep } from 'node:timers/promises'
import { ProblemError, problem } from '@agentopia/api'
import { forwardedMeta, isObject, type JsonRpcAnswer, type JsonRpcNotification } from '@agentopia/dtma/contract'
import { checkedKey } from '../http/idempotency.ts'
import type { Log } from '../log.ts'
import type { BeltItem } from './authorise.ts'
import { denialOf, type MadeCall, type MakeCall, type WantedCall } from './call.ts'
import type { CallsUnderWay } from './calls-under-way.ts'
import { cleanText } from './clean-text.ts'
import { type Exchange, untilGone } from './exchange.ts'
import { type ExecuteOnce, waitMsOf } from './execute-once.ts'
import { IDEMPOTENCY_KEY, idempotencyKeyOf } from './idempotency-key.ts'
import { keyedCall } from './keyed-call.ts'
import { asModern, errorOf, invalidParams, isHeard, notThere } from './mcp-replies.ts'
import { statusOf } from './mcp-revision.ts'
import { promptPlaceOf, resourcePlaceOf } from './names.ts'
import type { Passes } from './passes.ts'
import type { Question, Questions } from './questions.ts'
import type { RequestStates, StateOf } from './request-state.ts'
import { instanceNameOf, type OpenToolbelt } from './toolbelts.ts'
import { withUris } from './with-uris.ts'

export interface CallsDeps {
  readonly makeCall: MakeCall
  readonly executeOnce: ExecuteOnce
  readonly underWay: Pick<CallsUnderWay, 'add'>
  readonly questions: Pick<Questions, 'ask'>
  readonly states: RequestStates
  readonly passes: Passes
  readonly version: string
  readonly log: Log
  /** How long a call may take. */
  readonly timeoutMs: number
}

type Method = NonNullable<WantedCall['method']>

/** How often a tool may come back with further questions. */
const MOST_ROUNDS = 16
const AGAIN_MS = 500
/** How long a person may think about what a tool asks. */
const ASKING_MS = 10 * 60_000

/** `tools/call`, `prompts/get` and `resources/read`: authorised, recorded, and asked back about where the tool wants something. */
export function createCalls(deps: CallsDeps): (exchange: Exchange, method: Method) => Promise<void> {
  const { makeCall, executeOnce, underWay, questions, states, passes, version, log, timeoutMs } = deps

  return async (exchange, method) => {
    const { message, era, headers, open, about, agent, isLetIn, client, response, answer, streams } = exchange
    const asked = message.params?.[method === 'resources/read' ? 'uri' : 'name']
    const args = message.params?.['arguments'] ?? {}
    if (typeof asked !== 'string' || !isObject(args))
      return answer.end(
        invalidParams(`${method} takes ${method === 'resources/read' ? 'a uri' : 'a name and arguments'}`),
      )
    if (response.destroyed) return // the client left while its toolbelt was read
    const gone = untilGone(response)
    const ended = underWay.add(client, message.id, () => gone.abort(new Error('the client took the call back')))

    const { item, own } = placeOf(open, method, asked)
    const instanceName = item && instanceNameOf(item)
    const absent = () => notThere(method, asked, era)
    const state: StateOf = {
      ...agent,
      itemId: item?.id ?? '',
      method,
      capability: own,
      args: JSON.stringify(args),
    }
    const onNotification = (notification: JsonRpcNotification) => {
      if (isHeard(notification, about.logLevel)) answer.notify(notification)
    }
    const call = (again: WantedCall['again'], approvedBy?: string, repeats?: WantedCall['repeats']) =>
      makeCall({
        toolbelt: open.toolbelt,
        via: era === 'modern' ? 'mcp' : 'mcp-legacy',
        method,
        item,
        capability: own,
        arguments: args,
        meta: metaFor(message.params),
        client: about,
        ...(again ? { again } : {}),
        approvedBy,
        repeats,
        id: message.id,
        timeoutMs,
        signal: gone.signal,
        isLetIn,
        ...(streams ? { onNotification } : {}),
      })

    try {
      const again = era === 'legacy' ? undefined : roundOf(message.params, state)
      if (again === 'invalid') return answer.end(invalidParams('Invalid or expired requestState'))
      const make = () =>
        era === 'legacy' ? untilComplete(call, exchange, gone.signal) : oneRound(call, again, message.params, state)
      const key = method === 'tools/call' ? checkedKey(idempotencyKeyOf(message, headers)) : undefined
      const isKeyed = key !== undefined && item && !denialOf({ toolbelt: open.toolbelt, item, method, capability: own })
      const made = isKeyed
        ? await keyedCall(
            executeOnce,
            {
              ...agent,
              key,
              request: { method, itemId: item.id, capability: own, arguments: args, ...again },
              timeoutMs,
              waitMs: waitMsOf(item, own) + (era === 'legacy' && canBeAsked(about) ? ASKING_MS : 0),
            },
            { make, repeat: (first) => call(undefined, undefined, first) },
          )
        : await make()
      if (era === 'legacy') return finish(exchange, made, instanceName)
      const reply = asModern(withUris(made.answer, instanceName), method, version)
      answer.end(reply, 'error' in reply ? statusOf(reply.error.code) : 200)
    } catch (error) {
      if (!(error instanceof ProblemError) && !gone.signal.aborted) log.error({ err: error }, 'call failed')
      const reply = errorOf(error, absent, gone.signal)
      answer.end(era === 'modern' ? asModern(reply, method, version) : reply)
    } finally {
      ended()
    }
  }

  /** Clients of the modern revision come again by themselves, with a state that only this gateway opens. */
  async function oneRound(
    call: (again: WantedCall['again'], approvedBy?: string) => Promise<MadeCall>,
    again: WantedCall['again'],
    params: Exchange['message']['params'],
    state: StateOf,
  ): Promise<MadeCall> {
    const { requestState: came } = params ?? {}
    const made = await call(again, typeof came === 'string' ? passes.take(came) : undefined)
    const answer = sealed(made.answer, state)
    const next = 'result' in answer ? answer.result['requestState'] : undefined
    if (typeof next === 'string' && made.decidedBy !== undefined) passes.give(next, made.decidedBy)
    return { ...made, answer }
  }

  /** Clients of earlier revisions do not come again: they are asked on the stream of their call, and it is made again for them. */
  async function untilComplete(
    call: (again: WantedCall['again'], approvedBy?: string) => Promise<MadeCall>,
    { client, answer }: Exchange,
    signal: AbortSignal,
  ): Promise<MadeCall> {
    let made = await call(undefined)
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const wanted = wantedOf(made.answer)
      if (!wanted) return made
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ASKING_MS)])
      const answers = await Promise.all(
        Object.entries(wanted.inputRequests).map(async ([key, question]) => {
          const given = await questions.ask(client, question, answer.ask, limit)
          return [key, 'result' in given ? given.result : refusalOf(question, given.error.message)] as const
        }),
      )
      // Nothing is asked: the server only wants the call to come again, later.
      if (answers.length === 0) await sleep(AGAIN_MS, undefined, { signal })
      const { requestState } = wanted
      const again = {
        inputResponses: Object.fromEntries(answers),
        ...(requestState === undefined ? {} : { requestState }),
      }
      made = await call(again, made.decidedBy)
    }
    return made
  }

  function finish({ answer }: Exchange, made: MadeCall, instanceName: string | undefined): void {
    if (instanceName === undefined || !made.written.includes('"uri"')) answer.endAsWritten(made.written)
    else answer.end(withUris(made.answer, instanceName))
  }

  function roundOf(params: Exchange['message']['params'], state: StateOf): WantedCall['again'] | 'invalid' {
    const { inputResponses, requestState } = params ?? {}
    if (inputResponses === undefined && requestState === undefined) return undefined
    if (requestState === undefined) return { inputResponses }
    const opened = typeof requestState === 'string' ? states.open(requestState, state) : undefined
    if (opened === undefined) return 'invalid'
    return { ...(inputResponses === undefined ? {} : { inputResponses }), requestState: opened }
  }

  function sealed(answer: JsonRpcAnswer, state: StateOf): JsonRpcAnswer {
    const given = 'result' in answer ? answer.result['requestState'] : undefined
    if (typeof given !== 'string' || !('result' in answer)) return answer
    return { result: { ...answer.result, requestState: states.seal(given, state) } }
  }
}

const canBeAsked = ({ capabilities }: Exchange['about']): boolean => Object.keys(capabilities).length > 0

/** What goes on to the tool; the key of a call is for the gateway. */
function metaFor(params: Exchange['message']['params']): WantedCall['meta'] {
  const { [IDEMPOTENCY_KEY]: _, ...meta } = forwardedMeta(params) ?? {}
  return Object.keys(meta).length === 0 ? undefined : meta
}

/** Where a name leads. What is found may still be denied. */
function placeOf(open: OpenToolbelt, method: Method, asked: string): { item: BeltItem | undefined; own: string } {
  if (method === 'tools/call') {
    const entry = open.resolve(asked)
    return { item: entry?.item, own: entry?.capability ?? asked }
  }
  const find = method === 'prompts/get' ? promptPlaceOf : resourcePlaceOf
  const { instanceName, own } = find(asked, (name) => open.itemOf(name) !== undefined)
  return { item: open.itemOf(instanceName), own }
}

interface Wanted {
  readonly inputRequests: Readonly<Record<string, Question>>
  readonly requestState?: string
}

function wantedOf(answer: JsonRpcAnswer): Wanted | undefined {
  if ('error' in answer || answer.result['resultType'] !== 'input_required') return undefined
  const { inputRequests = {}, requestState } = answer.result as Partial<Wanted>
  return { inputRequests, ...(requestState === undefined ? {} : { requestState }) }
}

/**
 * A client that refuses to be asked: as a person does who closes the form.
 * @throws {ProblemError} `tool-failed` where the revision has no words for it.
 */
function refusalOf({ method }: Question, why: string): Record<string, unknown> {
  if (method === 'elicitation/create') return { action: 'cancel' }
  throw problem(
    'tool-failed',
    `The client refused ${method}, which the tool asked for: ${cleanText(why.slice(0, 300))}`,
  )
}
