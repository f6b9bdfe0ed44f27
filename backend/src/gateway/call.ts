import { type Call, ProblemError, problem } from '@agentopia/api'
import {
  envelopeOf,
  type JsonRpcAnswer,
  type JsonRpcId,
  type JsonRpcNotification,
  type RequestClient,
} from '@agentopia/dtma/contract'
import { DeniedByPerson } from '../approvals/ask-person.ts'
import type { CallEnd } from '../calls/call-record.ts'
import type { CallRecorder } from '../calls/call-recorder.ts'
import { containerOf } from '../credentials/agent-belt.ts'
import type { CallGuard } from '../guard/call-guard.ts'
import type { SecretAudit, SecretSighting } from '../guard/secret-audit.ts'
import type { Bulkhead } from '../http/bulkhead.ts'
import { ComeAgain } from '../http/come-again.ts'
import type { PayloadKeeper } from '../payloads/payload-keeper.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf } from '../secret.ts'
import type { Admit } from './admission.ts'
import type { AskFirst } from './ask-first.ts'
import { authorise, authoriseAll, type BeltItem, type Toolbelt } from './authorise.ts'
import { cleanText } from './clean-text.ts'
import { deniedBecause } from './denied.ts'
import type { Refusals } from './refusals.ts'
import type { CallUpstream } from './upstream.ts'

/** One call that an agent wants to make. */
export interface WantedCall {
  readonly toolbelt: Toolbelt
  /** Absent: `tools/call`. Prompts and resources are permitted by item, not one by one. */
  readonly method?: 'tools/call' | 'prompts/get' | 'resources/read' | 'completion/complete'
  /** Of what a completion completes an argument; it is permitted as that is. */
  readonly completes?: 'prompts' | 'resources' | undefined
  /** By which door it came. */
  readonly via: NonNullable<Call['via']>
  /** `undefined`: the name leads nowhere. */
  readonly item: BeltItem | undefined
  /** Name of the capability (the prompt; address of the resource), as its server knows it; or what was asked for. */
  readonly capability: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** `_meta` of the request, when the caller gave one. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined
  /** Who could be asked; absent: nobody. */
  readonly client?: RequestClient
  /** What the server wanted of the client, when the call comes again with it. */
  readonly again?: Readonly<{ inputResponses?: unknown; requestState?: string }>
  /** Who approved this call before, when it comes again. */
  readonly approvedBy?: string | undefined
  /** What the same call came to before, under the same key: it is not made again, and this is what is answered. */
  readonly repeats?: JsonRpcAnswer | ProblemError | undefined
  /** The answer comes back under it. */
  readonly id: JsonRpcId
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Asked while the call is under way: is its caller still let in? Absent: it is not asked. */
  readonly isLetIn?: () => Promise<boolean>
  readonly onNotification?: (notification: JsonRpcNotification) => void
}

export interface MadeCall {
  readonly callId: string
  readonly durationMs: number
  /** Who was asked and said yes. */
  readonly decidedBy?: string | undefined
  readonly answer: JsonRpcAnswer
  /** The JSON-RPC answer as the tool wrote it. */
  readonly written: string
}

/**
 * Authorises, admits, asks a person where one is to be asked, calls, records. The record is begun before anybody is asked or anything is sent: without it
 * there is no call. What is refused before is on record too, as long as there is not too much of it.
 * @throws {ProblemError} {@link Denied} with the reason, which does not tell whether a capability exists that was not allowed;
 *   `store-unavailable`, `rate-limited`, `payload-too-large`, `result-too-large`; `approval-denied`, `approval-timeout`; the signal's reason when it aborts; or what the upstream throws.
 */
export type MakeCall = (wanted: WantedCall) => Promise<MadeCall>

export interface MakeCallDeps {
  readonly callUpstream: CallUpstream
  readonly admit: Admit
  readonly refusals: Refusals
  readonly askFirst: AskFirst
  readonly bulkhead: Bulkhead
  readonly recorder: Pick<CallRecorder, 'begin' | 'end'>
  /** @throws {ProblemError} `store-unavailable`: what is not known to be safe is not done. */
  readonly guardOf: (toolbelt: Toolbelt) => Promise<CallGuard>
  readonly secretAudit: Pick<SecretAudit, 'note'>
  readonly payloads: Pick<PayloadKeeper, 'keep'>
  readonly clock: Pick<Clock, 'now' | 'steady'>
  readonly newId: (prefix: 'call') => string
}

export function createMakeCall(deps: MakeCallDeps): MakeCall {
  const { callUpstream, admit, refusals, askFirst, bulkhead, recorder, guardOf, secretAudit, payloads, clock, newId } =
    deps

  return async (wanted) => {
    const { item, capability, signal } = wanted
    const { agent } = wanted.toolbelt
    const callId = newId('call')
    const started = clock.steady()
    const because = denialOf(wanted)
    if (because) refusals.check(agent)
    const guard = await guardOf(wanted.toolbelt)
    const asked = guard.asked(wanted.arguments)
    const named = guard.named(capability)
    const blocked = asked.blocked ?? (isToolCall(wanted.method) ? undefined : named.blocked)
    const sent = JSON.stringify(sentOf(wanted, named.name, asked.args))
    const argumentBytes = Buffer.byteLength(sent)
    const argumentDigest = digestOf(sent)
    const names = namesOf(wanted, named.name)
    let ended = false
    const begin = () =>
      recorder.begin({
        id: callId,
        ...names,
        startedAt: new Date(clock.now()).toISOString(),
        argumentDigest,
        argumentBytes,
      })
    const end = async (how: Pick<CallEnd, 'outcome'> & Partial<CallEnd>): Promise<number> => {
      ended = true
      const durationMs = clock.steady() - started
      const secretsSeen = guard.seen()
      const written = recorder.end(callId, {
        code: null,
        resultBytes: null,
        resultDigest: null,
        ...how,
        secretsSeen,
        durationMs,
      })
      if (secretsSeen) secretAudit.note(sightingOf(wanted, callId, names, secretsSeen, how.code === 'secret-blocked'))
      await written
      return durationMs
    }
    /** @throws always: `error`, or that there were too many. */
    const refuse = async (error: unknown, code: string | null): Promise<never> => {
      const last = refusals.count(agent)
      await begin()
      await end({ outcome: 'denied', code: last?.code ?? code })
      throw last ?? error
    }

    if (!item || because) {
      const denied = {
        agent: agent.name,
        instance: item?.instance.name,
        capability: shown(capability),
      }
      return refuse(deniedBecause(because ?? 'unknown', denied), because ?? 'unknown')
    }
    if (blocked !== undefined)
      return refuse(problem('secret-blocked', `${blocked}; nothing was sent`), 'secret-blocked')
    try {
      await admit({ toolbelt: wanted.toolbelt, item, capability, argumentBytes })
    } catch (error) {
      return refuse(error, failureOf(error, signal).code ?? null)
    }
    const { repeats } = wanted
    if (repeats instanceof ProblemError) return refuse(repeats, repeats.code)
    await begin()

    let approved: { readonly decidedBy?: string | undefined; readonly item: BeltItem } = { item }
    try {
      if (wanted.approvedBy !== undefined) approved = { item, decidedBy: wanted.approvedBy }
      else if (!repeats && isToolCall(wanted.method) && item.asked.has(capability))
        approved = await askFirst(wanted, item, { callId, argumentDigest, argumentBytes })
    } catch (error) {
      const said = error instanceof DeniedByPerson ? { decidedBy: error.decidedBy } : {}
      const how = failureOf(error, signal)
      await end({ ...how, ...said, outcome: how.outcome === 'cancelled' ? 'cancelled' : 'denied' })
      throw error
    }
    const { decidedBy } = approved
    const who = decidedBy === undefined ? {} : { decidedBy }

    const keep = (came: { readonly result?: unknown; readonly error?: unknown }): void => {
      const { id: instanceId, payloads: rule } = item.instance
      const { accountId, agentId } = names
      if (rule) payloads.keep({ callId, accountId, agentId, instanceId }, rule, { arguments: asked.args, ...came })
    }

    try {
      const { id, timeoutMs } = wanted
      const { id: instanceId, toolbox } = approved.item.instance
      const caller = wanted.toolbelt.agent.id
      const call = { toolbox, instanceId, id, request: requestOf(wanted, sent), timeoutMs, caller, signal }
      const came = repeats
        ? { answer: repeats, written: JSON.stringify({ jsonrpc: '2.0', id, ...repeats }) }
        : await bulkhead.enter(containerOf(approved.item.instance), { signal, longestMs: timeoutMs }, () =>
            callUpstream({ ...call, ...listening(wanted, guard) }),
          )
      const { answer, written } = guard.answered(came)
      const result = { resultBytes: Buffer.byteLength(written), resultDigest: digestOf(written) }
      const most = wanted.toolbelt.agent.limits.resultBytes
      if (most !== undefined && result.resultBytes > most) {
        await end({ outcome: 'failed', code: 'result-too-large', ...result, ...who })
        throw problem('result-too-large', `The answer has ${result.resultBytes} bytes; ${most} are allowed`)
      }
      const durationMs = await end({ ...outcomeOf(answer), ...(repeats ? { code: REPEATED } : {}), ...result, ...who })
      if (!repeats) keep(answer)
      return { callId, durationMs, decidedBy, answer, written }
    } catch (error) {
      if (!ended) await end({ ...failureOf(error, signal), ...who })
      const failure = guard.failed(error)
      keep(failure instanceof ProblemError ? { error: { code: failure.code, message: failure.message } } : {})
      throw failure
    }
  }
}

/** What a tool says during the call goes through the same guard. */
function listening({ onNotification }: WantedCall, guard: CallGuard): Pick<WantedCall, 'onNotification'> {
  if (!onNotification) return {}
  return {
    onNotification(notification) {
      const heard = guard.heard(notification)
      if (heard) onNotification(heard)
    },
  }
}

const sightingOf = (
  { item }: WantedCall,
  callId: string,
  { accountId, agentId, agentName, instanceName, capability }: ReturnType<typeof namesOf>,
  seen: readonly string[],
  blocked: boolean,
): SecretSighting => ({
  accountId,
  agentId,
  agentName,
  toolboxId: item?.instance.toolbox.id,
  capability: instanceName === null ? capability : `${instanceName}__${capability}`,
  callId,
  seen,
  blocked,
})

/** Why this call may not be made now; `undefined`: it may. */
export function denialOf({
  toolbelt,
  item,
  method,
  completes = 'prompts',
  capability,
}: Pick<WantedCall, 'toolbelt' | 'item' | 'method' | 'completes' | 'capability'>): string | undefined {
  if (!item) return 'unknown'
  if (method === 'prompts/get') return authoriseAll(toolbelt, item, 'prompts')
  if (method === 'resources/read') return authoriseAll(toolbelt, item, 'resources')
  if (method === 'completion/complete') return authoriseAll(toolbelt, item, completes)
  const decision = authorise(toolbelt, item, capability)
  return decision.allowed ? undefined : decision.because
}

/** Who calls what, as it is recorded. @param named What is asked for, as it may be written down. */
const namesOf = ({ toolbelt: { agent }, via, item, method, capability }: WantedCall, named: string) => ({
  accountId: agent.accountId,
  agentId: agent.id,
  agentName: agent.name,
  instanceId: item?.instance.id ?? null,
  instanceName: item?.instance.name ?? null,
  capability: shown(isToolCall(method) ? named : `${method} ${named}`),
  via,
  instanceGeneration: item?.instance.generation ?? null,
  specDigest: item?.instance.specDigest ?? null,
  capabilityDigest: isToolCall(method)
    ? (item?.instance.capabilities.find(({ name }) => name === capability)?.digest ?? null)
    : null,
})

/** A stranger's word, as it may be stored and shown: on one line. */
const shown = (capability: string): string => cleanText(capability.slice(0, 256)).replaceAll(/[\t\r\n]/g, ' ')

/**
 * What the caller says with a call, as members of `params`: it is searched, counted, digested and sent. The name of a capability
 * is none of it, for it is one of a list; that of a prompt and the address of a resource may be anything.
 */
function sentOf({ method, completes }: WantedCall, named: string, args: WantedCall['arguments']): object {
  if (method === 'resources/read') return { uri: named }
  if (method === 'prompts/get') return { name: named, arguments: args }
  if (method !== 'completion/complete') return args
  return {
    ref: completes === 'resources' ? { type: 'ref/resource', uri: named } : { type: 'ref/prompt', name: named },
    ...args,
  }
}

/** What is sent is written once; its digest is of just that. */
function requestOf(wanted: WantedCall, sent: string): string {
  const { method = 'tools/call', id, meta, client, again, capability } = wanted
  const rest = again ? `,${JSON.stringify(again).slice(1, -1)}` : ''
  const _meta = JSON.stringify({ ...meta, ...envelopeOf(client ?? NOBODY) })
  const said = isToolCall(method) ? `"name":${JSON.stringify(capability)},"arguments":${sent}` : sent.slice(1, -1)
  const params = `{${said}${rest === ',' ? '' : rest},"_meta":${_meta}}`
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"${method}","params":${params}}`
}

/** On record of a call that was not made: its answer is that of an earlier one with the same key. */
const REPEATED = 'repeated'

const NOBODY: RequestClient = { capabilities: {}, logLevel: undefined }

const isToolCall = (method: WantedCall['method']): boolean => method === undefined || method === 'tools/call'

const outcomeOf = (answer: JsonRpcAnswer): Pick<CallEnd, 'outcome'> & Partial<CallEnd> =>
  'error' in answer
    ? { outcome: 'tool_error', code: String(answer.error.code) }
    : { outcome: answer.result['isError'] === true ? 'tool_error' : 'ok' }

function failureOf(error: unknown, signal: AbortSignal): Pick<CallEnd, 'outcome'> & Partial<CallEnd> {
  if (signal.aborted)
    return { outcome: 'cancelled', code: signal.reason instanceof ProblemError ? signal.reason.code : null }
  if (error instanceof ComeAgain && error.code === 'circuit-open') return { outcome: 'denied', code: error.code }
  if (!(error instanceof ProblemError)) return { outcome: 'failed', code: 'internal' }
  return { outcome: error.code === 'call-timeout' ? 'timeout' : 'failed', code: error.code }
}
