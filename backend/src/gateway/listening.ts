import { type JsonRpcNotification, META_KEY } from '@agentopia/dtma/contract'
import type { Clock } from '../reconcile/clock.ts'
import type { BeltItem } from './authorise.ts'
import { type CallingAgent, writtenRequest } from './exchange.ts'
import { createGathered } from './gathered.ts'
import { sharing } from './listing.ts'
import { McpRefusal } from './mcp-refusal.ts'
import { resourcePlaceOf, resourceUriOf } from './names.ts'
import type { SharedLists } from './shared-lists.ts'
import { instanceNameOf, type OpenToolbelt, type Toolbelts } from './toolbelts.ts'
import type { CallUpstream } from './upstream.ts'

export interface ListeningDeps {
  readonly toolbelts: Pick<Toolbelts, 'of' | 'watch'>
  readonly lists: Pick<SharedLists, 'forget'>
  readonly callUpstream: CallUpstream
  readonly clock: Pick<Clock, 'sleep'>
}

/** What one client wants to hear of. */
export interface Wish {
  readonly agent: CallingAgent
  readonly only: string | undefined
  readonly toolsListChanged: boolean
  readonly promptsListChanged: boolean
  readonly resourcesListChanged: boolean
  /** As the client knows them; read anew whenever `again` is called. */
  readonly uris: () => Iterable<string>
  readonly say: (notification: JsonRpcNotification) => void
}

export interface Listening {
  /** Tells what changes until `signal` aborts, or the agent is no more. */
  follow(wish: Wish, signal: AbortSignal): { readonly ended: Promise<void>; readonly again: () => void }
}

const MOST_PER_AGENT = 32
/** Changes within this time are one. */
const GATHER_MS = 50
/** A server is believed so often that one thing of it has changed: who hears of it reads it again. */
export const SAID_AGAIN_MS = 1_000
const FOLLOW_MS = 3_600_000
const AGAIN_MS = 1_000
const AGAIN_MOST_MS = 30_000

type Gather = ReturnType<typeof createGathered>

const LIST_CHANGED: ReadonlySet<string> = new Set(
  ['tools', 'prompts', 'resources'].map((what) => `notifications/${what}/list_changed`),
)

/** Follows the toolbelt of an agent and the servers in it on behalf of its clients. */
export function createListening({ toolbelts, lists, callUpstream, clock }: ListeningDeps): Listening {
  const counts = new Map<string, number>()

  /** One server, for as long as it is followed; opened again when the stream ends. */
  async function followItem(item: BeltItem, wish: Wish, gather: Gather, signal: AbortSignal): Promise<void> {
    const { toolbox, id: instanceId } = item.instance
    const instanceName = instanceNameOf(item)
    const isNamed = (name: string) => name === instanceName
    const uris = [...wish.uris()]
      .map((uri) => resourcePlaceOf(uri, isNamed))
      .filter((place) => place.instanceName === instanceName)
      .map(({ own }) => own)
    const notifications = {
      promptsListChanged: wish.promptsListChanged && item.prompts,
      resourcesListChanged: wish.resourcesListChanged && item.resources,
      ...(item.resources && uris.length > 0 ? { resourceSubscriptions: uris } : {}),
    }
    if (!Object.values(notifications).some(Boolean)) return
    const request = writtenRequest('subscriptions/listen', { notifications })
    const onNotification = ({ jsonrpc, method, params }: JsonRpcNotification) => {
      const own = params?.['uri']
      if (method === 'notifications/resources/updated' && typeof own === 'string') {
        const uri = resourceUriOf({ instanceName, own })
        gather(`${instanceId} ${method} ${own}`, () => wish.say({ jsonrpc, method, params: { uri } }))
      } else if (LIST_CHANGED.has(method))
        gather(`${instanceId} ${method}`, () => {
          lists.forget(item)
          if (method !== 'notifications/tools/list_changed') wish.say({ jsonrpc, method })
        })
    }
    for (let pauseMs = AGAIN_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, AGAIN_MOST_MS)) {
      const call = { toolbox, instanceId, id: 1, request, timeoutMs: FOLLOW_MS, signal, onNotification }
      // Whatever ended it, the server is asked again: it may have been restarted, or be away for a while.
      await callUpstream(call).catch(() => {})
      await clock.sleep(pauseMs, signal)
    }
  }

  async function run(wish: Wish, signal: AbortSignal, changed: () => Promise<void>): Promise<void> {
    const { accountId, agentId } = wish.agent
    const gather = createGathered({ clock, everyMs: SAID_AGAIN_MS, signal })
    let before: Seen | undefined
    while (!signal.aborted) {
      const whole = await toolbelts.of(accountId, agentId)
      const open = wish.only === undefined ? whole : whole?.only(wish.only)
      if (!open) return
      const seen = seenOf(open)
      if (before) tellDifference(before, seen, wish)
      before = seen
      const round = new AbortController()
      const follow = AbortSignal.any([signal, round.signal])
      const items = new Set([...sharing(open, 'prompts'), ...sharing(open, 'resources')])
      for (const item of items) void followItem(item, wish, gather, follow).catch(() => {}) // it ends by the signal
      await changed()
      round.abort()
      await clock.sleep(GATHER_MS, signal)
    }
  }

  return {
    follow(wish, signal) {
      const { accountId, agentId } = wish.agent
      const count = counts.get(agentId) ?? 0
      if (count >= MOST_PER_AGENT) throw new McpRefusal(429, 429, 'This agent listens on too many streams already')
      counts.set(agentId, count + 1)
      let news = Promise.withResolvers<void>()
      const again = () => {
        news.resolve()
      }
      const unwatch = toolbelts.watch(accountId, again)
      signal.addEventListener('abort', again)
      const ended = run(wish, signal, async () => {
        await news.promise
        news = Promise.withResolvers()
      })
        .catch((error: unknown) => {
          if (!signal.aborted) throw error
        })
        .finally(() => {
          unwatch()
          const left = (counts.get(agentId) ?? 1) - 1
          if (left > 0) counts.set(agentId, left)
          else counts.delete(agentId)
        })
      return { ended, again }
    },
  }
}

/** What of a toolbelt would be listed, in a form that can be compared. */
interface Seen {
  readonly tools: string
  readonly prompts: string
  readonly resources: string
}

const seenOf = (open: OpenToolbelt): Seen => ({
  tools: JSON.stringify(open.listed),
  prompts: JSON.stringify(sharing(open, 'prompts').map(({ id, plainNames }) => [id, plainNames])),
  resources: JSON.stringify(sharing(open, 'resources').map(({ id, plainNames }) => [id, plainNames])),
})

function tellDifference(before: Seen, now: Seen, wish: Wish): void {
  for (const what of ['tools', 'prompts', 'resources'] as const)
    if (before[what] !== now[what] && wish[`${what}ListChanged`])
      wish.say({ jsonrpc: '2.0', method: `notifications/${what}/list_changed` })
}

/** The same notification, for a subscription of the modern revision. */
export const tagged = ({ jsonrpc, method, params }: JsonRpcNotification, id: string | number): JsonRpcNotification => ({
  jsonrpc,
  method,
  params: { ...params, _meta: { [META_KEY.subscriptionId]: id } },
})
