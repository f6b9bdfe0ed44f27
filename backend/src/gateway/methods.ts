import { isLogLevel } from '@agentopia/dtma/contract'
import { createRateLimit } from '../http/rate-limit.ts'
import { RateLimited } from '../http/rate-limited.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { MakeCall } from './call.ts'
import type { createCalls } from './calls.ts'
import { type Exchange, untilGone } from './exchange.ts'
import { type Listening, tagged, type Wish } from './listening.ts'
import { aggregated, completed, sharing } from './listing.ts'
import { newSessionId } from './mcp-client.ts'
import {
  discovered,
  type Introduction,
  initialized,
  invalidParams,
  listPage,
  notThere,
  problemReply,
  type Reply,
  withIdentity,
} from './mcp-replies.ts'
import { endNotOffered, handleOf, type MethodTable } from './method-table.ts'
import { resourcePlaceOf } from './names.ts'
import type { SearchAddresses } from './search-addresses.ts'
import type { ListMethod, SharedLists } from './shared-lists.ts'

export interface MethodDeps {
  readonly calls: ReturnType<typeof createCalls>
  readonly lists: SharedLists
  readonly listening: Listening
  readonly makeCall: MakeCall
  readonly searchAddresses: SearchAddresses
  readonly clock: Pick<Clock, 'steady'>
  readonly version: string
}

/** A client that connects asks for three; one that follows changes, for three more each time. */
const LISTS_AT_ONCE = 120
const LISTS_PER_SECOND = 2

/** The same for every agent: what it was not granted is empty, not absent. */
const INTRODUCTION: Introduction = {
  capabilities: {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    completions: {},
    logging: {},
  },
  instructions:
    'Tools and prompts are named <tool instance>__<name>, resources agentopia:<tool instance>/<address>, unless said otherwise. The list holds what this agent was granted, and changes when that does.',
}

type Handle = (exchange: Exchange) => Promise<void> | void
type Answer = (exchange: Exchange) => Promise<Reply> | Reply

/** What an agent may ask of this endpoint, by name and era. Whatever is not here does not exist. */
export function createMethods({
  calls,
  lists,
  listening,
  makeCall,
  searchAddresses,
  clock,
  version,
}: MethodDeps): (exchange: Exchange) => Promise<void> {
  const replying =
    (answer: Answer): Handle =>
    async (exchange) => {
      const reply = await answer(exchange)
      exchange.answer.end(exchange.era === 'modern' ? withIdentity(reply, version) : reply)
    }

  const rate = createRateLimit({ steady: clock.steady, burst: LISTS_AT_ONCE, perSecond: LISTS_PER_SECOND })

  /** A list may wake servers: an agent gets as many as a client needs, and no more. It has nothing of the agent's: it is no call. */
  async function listed(exchange: Exchange, method: ListMethod): Promise<Reply> {
    if (rate.admit(exchange.agent.agentId)) return aggregated(exchange, method, lists)
    return problemReply(new RateLimited('This agent asks for lists too often', 1))
  }

  const both: Readonly<Record<string, Handle>> = {
    'tools/list': replying(({ open, message }) => listPage('tools', open.listed, message)),
    'tools/call': (exchange) => calls(exchange, 'tools/call'),
    'prompts/list': replying((exchange) => listed(exchange, 'prompts/list')),
    'prompts/get': (exchange) => calls(exchange, 'prompts/get'),
    'resources/list': replying((exchange) => listed(exchange, 'resources/list')),
    'resources/templates/list': replying((exchange) => listed(exchange, 'resources/templates/list')),
    'resources/read': (exchange) => calls(exchange, 'resources/read'),
    'completion/complete': replying((exchange) => completed(exchange, makeCall)),
  }

  const table: MethodTable<Handle> = {
    both,
    modern: {
      'server/discover': replying(() => discovered(version, INTRODUCTION)),
      'subscriptions/listen': listen,
    },
    legacy: {
      ping: replying(() => ({ result: {} })),
      async initialize(exchange) {
        exchange.response.setHeader('mcp-session-id', newSessionId(exchange.message.params?.['capabilities']))
        await replying(() => initialized(exchange.message, version, INTRODUCTION))(exchange)
      },
      'logging/setLevel': replying(({ message, memory }) => {
        const level = message.params?.['level']
        if (!isLogLevel(level)) return invalidParams('logging/setLevel takes a level')
        memory().logLevel = level
        return { result: {} }
      }),
      'resources/subscribe': replying((exchange) => subscribe(exchange, true, searchAddresses)),
      'resources/unsubscribe': replying((exchange) => subscribe(exchange, false, searchAddresses)),
    },
  }

  /** The stream that tells a client of the modern revision what changes. It ends with its client. */
  async function listen({ message, agent, only, open, answer, response, streams }: Exchange): Promise<void> {
    if (!streams) return answer.end(invalidParams('subscriptions/listen takes a client that accepts an event stream'))
    const asked = Object(message.params?.['notifications']) as Record<string, unknown>
    const given = asked['resourceSubscriptions']
    const uris = (Array.isArray(given) ? given : []).filter((uri) => isOpenTo(open, uri)).slice(0, MOST_URIS)
    const refusal = await searchAddresses(open, uris)
    if (refusal) return answer.end(problemReply(refusal))
    const flags = Object.fromEntries(FLAGS.map((flag) => [flag, asked[flag] === true])) as Record<
      (typeof FLAGS)[number],
      boolean
    >
    const say: Wish['say'] = (notification) => answer.notify(tagged(notification, message.id))
    const { ended } = listening.follow({ agent, only, ...flags, uris: () => uris, say }, untilGone(response).signal)
    const granted = Object.fromEntries(Object.entries(flags).filter(([, wanted]) => wanted))
    const notifications = { ...granted, ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}) }
    say({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications } })
    await ended
    answer.end({ result: { resultType: 'complete' } })
  }

  return async (exchange) => {
    const { message, era, answer } = exchange
    const handle = handleOf(table, message.method, era)
    if (handle) return handle(exchange)
    endNotOffered(answer, message.method, era)
  }
}

const FLAGS = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const
const MOST_URIS = 200

/** Does this address lead to a server whose resources this agent may read? */
function isOpenTo(open: Exchange['open'], uri: unknown): uri is string {
  if (typeof uri !== 'string' || uri.length > 2_000) return false
  const { instanceName } = resourcePlaceOf(uri, (name) => open.itemOf(name) !== undefined)
  const item = open.itemOf(instanceName)
  return item !== undefined && sharing(open, 'resources').includes(item)
}

async function subscribe(
  { message, open, era, memory }: Exchange,
  wanted: boolean,
  searchAddresses: SearchAddresses,
): Promise<Reply> {
  const uri = message.params?.['uri']
  if (typeof uri !== 'string') return invalidParams(`${message.method} takes a uri`)
  if (!isOpenTo(open, uri)) return notThere('resources/read', uri, era)
  const refusal = wanted ? await searchAddresses(open, [uri]) : undefined
  if (refusal) return problemReply(refusal)
  const { uris, onUris } = memory()
  if (wanted && uris.size >= MOST_URIS) return invalidParams(`A client subscribes to at most ${MOST_URIS} resources`)
  if (wanted) uris.add(uri)
  else uris.delete(uri)
  onUris()
  return { result: {} }
}
