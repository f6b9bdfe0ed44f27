import type { JsonRpcAnswer, JsonRpcNotification } from '../contract/json-rpc.ts'
import { notConnected, type Upstream, type UpstreamRequest } from './upstream.ts'

/** Serves `subscriptions/listen` to our callers, whatever revision the server speaks: one connection to it, many who listen. */
export interface Subscriptions {
  /** Acknowledges, then tells what was asked for. Never answers: it ends when its signal aborts or the connection is lost. */
  listen(request: UpstreamRequest): Promise<JsonRpcAnswer>
  /** Something that the server says and that belongs to no request. */
  heard(notification: JsonRpcNotification): void
  /** The server knows us no more, and has to be told again. */
  renewed(): void
  close(): void
}

export interface SubscriptionsDeps {
  /** @returns False where the server speaks an earlier revision: it is told of each resource by itself. */
  readonly isModern: () => boolean
  readonly upstream: Upstream
  readonly canSubscribe: () => boolean
}

const LIST_CHANGES: Readonly<Record<string, string>> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
}
const UPDATED = 'notifications/resources/updated'
const MOST_RESOURCES = 200

interface Listener {
  readonly flags: ReadonlySet<string>
  readonly uris: ReadonlySet<string>
  readonly say: (notification: JsonRpcNotification) => void
  readonly end: (why: Error) => void
}

export function createSubscriptions({ isModern, upstream, canSubscribe }: SubscriptionsDeps): Subscriptions {
  const listeners = new Set<Listener>()
  /** How many listen to each resource at a server of an earlier revision. */
  const counts = new Map<string, number>()

  /** What the server does not grant is not heard of; the lists are. */
  const tell = (method: string, uri: string) => {
    upstream.request({ method, params: { uri }, signal: AbortSignal.timeout(10_000) }).catch(() => {})
  }

  function follow(uris: ReadonlySet<string>, listener: Listener, signal: AbortSignal): () => void {
    if (uris.size === 0 || !canSubscribe()) return () => {}
    if (isModern()) {
      const params = { notifications: { resourceSubscriptions: [...uris] } }
      upstream
        .request({ method: 'subscriptions/listen', params, signal, onNotification: (said) => heardBy(listener, said) })
        .then(() => listener.end(notConnected()), listener.end)
      return () => {}
    }
    for (const uri of uris) {
      const count = counts.get(uri) ?? 0
      counts.set(uri, count + 1)
      if (count === 0) tell('resources/subscribe', uri)
    }
    return () => {
      for (const uri of uris) {
        const left = (counts.get(uri) ?? 1) - 1
        if (left > 0) counts.set(uri, left)
        else if (counts.delete(uri)) tell('resources/unsubscribe', uri)
      }
    }
  }

  return {
    listen({ params, signal, onNotification }) {
      const { flags, uris } = wanted(params?.['notifications'])
      return new Promise((_, reject) => {
        const listener: Listener = { flags, uris, say: (said) => onNotification?.(said), end: reject }
        listeners.add(listener)
        const notifications = {
          ...Object.fromEntries([...flags].map((flag) => [flag, true])),
          ...(uris.size > 0 && canSubscribe() ? { resourceSubscriptions: [...uris] } : {}),
        }
        const method = 'notifications/subscriptions/acknowledged'
        listener.say({ jsonrpc: '2.0', method, params: { notifications } })
        const leave = follow(uris, listener, signal)
        const end = () => {
          listeners.delete(listener)
          leave()
          reject(signal.reason)
        }
        if (signal.aborted) end()
        signal.addEventListener('abort', end, { once: true })
      })
    },
    heard(notification) {
      for (const listener of listeners) heardBy(listener, notification)
    },
    renewed() {
      for (const uri of counts.keys()) tell('resources/subscribe', uri)
    },
    close() {
      for (const { end } of listeners) end(notConnected())
      listeners.clear()
    },
  }
}

function heardBy({ flags, uris, say }: Listener, notification: JsonRpcNotification): void {
  const { method, params } = notification
  const flag = LIST_CHANGES[method]
  if (flag === undefined ? method === UPDATED && uris.has(String(params?.['uri'])) : flags.has(flag)) say(notification)
}

function wanted(filter: unknown): Pick<Listener, 'flags' | 'uris'> {
  const asked = Object(filter) as Record<string, unknown>
  const uris = asked['resourceSubscriptions']
  return {
    flags: new Set(Object.values(LIST_CHANGES).filter((flag) => asked[flag] === true)),
    uris: new Set((Array.isArray(uris) ? uris : []).filter((uri) => typeof uri === 'string').slice(0, MOST_RESOURCES)),
  }
}
