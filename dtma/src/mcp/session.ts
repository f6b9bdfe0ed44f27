import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonRpcAnswer, JsonRpcNotification } from '../contract/json-rpc.ts'
import { HANDSHAKE_VERSIONS, isLoud, MODERN, mayAsk, type RequestClient } from '../contract/mcp.ts'
import { ProblemError } from '../contract/problem.ts'
import { problem } from '../contract/problems.ts'
import type { McpInfo, ToolTarget } from '../tools/tool-sessions.ts'
import { discover, type InitializeResult, infoOf, initialize, listCapabilities } from './handshake.ts'
import { createHeldCalls } from './held-calls.ts'
import { SessionGone } from './http.upstream.ts'
import { modernUpstream } from './modern.upstream.ts'
import { hasValidHeaders } from './modern-headers.ts'
import { openOverHttp } from './over-http.upstream.ts'
import { openStdio } from './stdio.upstream.ts'
import { createSubscriptions } from './subscriptions.ts'
import { isLost, lost, notConnected, type Upstream, type UpstreamEvents, type UpstreamRequest } from './upstream.ts'

/** The session with one server: the handshake is made, and made again where the protocol allows it. */
export interface Session {
  readonly info: McpInfo
  /** The server's own answer to `initialize`, for those who ask us. */
  readonly initialized: InitializeResult
  /** @param client For whom it is made; absent: for nobody who could be asked anything. */
  request(request: UpstreamRequest, client?: RequestClient): Promise<JsonRpcAnswer>
  /** Does it answer anything at all? @throws As {@link request} does. */
  check(signal: AbortSignal): Promise<void>
  close(): void
}

export interface SessionDeps {
  /** Version of this DTMA, told to servers. */
  readonly version: string
  readonly firstId: number
  readonly onChange: (info: McpInfo) => void
  readonly onLost: UpstreamEvents['onLost']
}

const LISTEN_RETRY_MS = 100
/** Changes within this time are read at once. */
const GATHER_MS = 100
const RELIST_MS = 10_000
const RENEW_MS = 10_000
/** A server that does not know a question must refuse it; one that never answers costs this time, once. */
const PROBE_MS = 10_000
const PROBE_ADOPTED_MS = 1_500
const FOLLOW_AGAIN_MS = 1_000
const FOLLOW_AGAIN_MOST_MS = 30_000
/** Nobody who could be asked. */
const NOBODY: RequestClient = { capabilities: {}, logLevel: undefined }
/** A server that starts slowly may not be listening yet; later it means that the server is gone. */
const NO_CONNECTION: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'EPIPE'])
const noConnection = (error: unknown): boolean => NO_CONNECTION.has((error as NodeJS.ErrnoException).code)
/** There was none to begin with: nothing was sent. */
const isRefused = ({ code, syscall }: NodeJS.ErrnoException): boolean =>
  code === 'ECONNREFUSED' || syscall === 'connect'

/** @throws {ProblemError} `tool-timeout`, `tool-lost` or `tool-protocol-error`; the target's channel is closed then. */
export async function openSession(
  target: ToolTarget,
  { version, firstId, onChange, onLost }: SessionDeps,
  signal: AbortSignal,
): Promise<Session> {
  const closed = new AbortController()
  const http =
    target.transport === 'http'
      ? openOverHttp(target.url, firstId, { onNotification: heard, onLapsed: renewSoon }, target.connect)
      : undefined
  const upstream: Upstream =
    http ??
    openStdio((target as Extract<ToolTarget, { transport: 'stdio' }>).channel, firstId, {
      onNotification: heard,
      onLost,
    })
  let initialized: InitializeResult
  let info: McpInfo
  const isModern = () => initialized.protocolVersion === MODERN
  const modern = modernUpstream(upstream, {
    version,
    capabilityOf: (name) => info?.capabilities.find((capability) => capability.name === name),
  })
  const spoken = () => (isModern() ? modern : upstream)
  const held = createHeldCalls()
  const subscriptions = createSubscriptions({
    isModern,
    upstream: { ...upstream, request: (request) => spoken().request(request) },
    canSubscribe: () => (Object(initialized.capabilities['resources']) as { subscribe?: unknown }).subscribe === true,
  })

  async function shakeHands(limit: AbortSignal): Promise<void> {
    initialized = await initialize(upstream, version, limit)
    http?.agree(initialized.protocolVersion)
    upstream.notify('notifications/initialized')
  }

  /** The modern revision where the server has it: asked first, for a server that was greeted the old way keeps to it. */
  async function greet(limit: AbortSignal): Promise<void> {
    if (target.revision !== undefined && target.revision !== MODERN) return shakeHands(limit)
    const probe = AbortSignal.timeout(target.adopted ? PROBE_ADOPTED_MS : PROBE_MS)
    const found = await discover(modern, AbortSignal.any([limit, probe])).catch((error: unknown) => {
      if (probe.aborted && !limit.aborted) return undefined
      throw error
    })
    if (!found) return shakeHands(limit)
    initialized = found
  }

  /** What changes at a modern server is heard on a request that stays open. */
  async function follow(): Promise<void> {
    const notifications = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
    const request = { method: 'subscriptions/listen', params: { notifications }, signal: closed.signal }
    for (let pauseMs = FOLLOW_AGAIN_MS; !closed.signal.aborted; pauseMs = Math.min(2 * pauseMs, FOLLOW_AGAIN_MOST_MS)) {
      const ended = await modern.request({ ...request, onNotification: heard }).catch(() => undefined)
      if (ended && 'error' in ended) return // it offers none
      await sleep(pauseMs, undefined, { signal: closed.signal })
    }
  }

  async function untilListening(limit: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await greet(limit)
      } catch (error) {
        if (!noConnection(error)) throw error
        await sleep(LISTEN_RETRY_MS, undefined, { signal: limit })
      }
    }
  }

  async function list(limit: AbortSignal): Promise<void> {
    const listed = await listCapabilities(spoken(), initialized.capabilities, limit)
    info = infoOf(initialized, http && isModern() ? listed.filter(hasValidHeaders) : listed)
  }

  /** One at a time; what changes meanwhile is read after it. */
  let stale = false
  let listing = false
  async function relist(): Promise<void> {
    stale = true
    if (listing) return
    listing = true
    try {
      while (stale) {
        await sleep(GATHER_MS, undefined, { signal: closed.signal })
        stale = false
        const known = info.digest
        await list(AbortSignal.any([closed.signal, AbortSignal.timeout(RELIST_MS)]))
        if (info.digest !== known) onChange(info)
      }
    } finally {
      listing = false
    }
  }
  /** When that fails the server lives and did not answer this time: health checks decide about it. */
  const relistSoon = () => void relist().catch(() => {})

  /** The handshake again, once for all who found that the session is gone. */
  let renewing: Promise<void> | undefined
  function renew(): Promise<void> {
    renewing ??= shakeHands(AbortSignal.any([closed.signal, AbortSignal.timeout(RENEW_MS)]))
      .then(() => {
        subscriptions.renewed()
        relistSoon()
      })
      .finally(() => {
        renewing = undefined
      })
    return renewing
  }

  function renewSoon(): void {
    void renew().catch(() => {}) // whoever asks something tries again, the next ping at the latest
  }

  function heard(notification: JsonRpcNotification): void {
    if (closed.signal.aborted) return
    subscriptions.heard(notification)
    if (notification.method === 'notifications/tools/list_changed') relistSoon()
  }

  async function overHandshake(request: UpstreamRequest): Promise<JsonRpcAnswer> {
    try {
      if (renewing !== undefined) await before(renewing, request.signal)
      return await upstream.request(request)
    } catch (error) {
      if (!(error instanceof SessionGone)) throw error
      if (!http?.inSession) await before(renew(), request.signal)
      return upstream.request(request)
    }
  }

  function dispatch(request: UpstreamRequest, client: RequestClient): Promise<JsonRpcAnswer> {
    if (request.method === 'subscriptions/listen') return subscriptions.listen(request)
    if (isModern()) return modern.request(request, client)
    const quiet = onlyLoud(request, client)
    return mayAsk(request.method) ? held.run(quiet, client, overHandshake) : overHandshake(quiet)
  }

  async function request(asked: UpstreamRequest, client = NOBODY): Promise<JsonRpcAnswer> {
    try {
      return await dispatch(asked, client)
    } catch (error) {
      if (!noConnection(error)) throw error
      throw isRefused(error as Error) ? notConnected({ cause: error }) : lost({ cause: error })
    }
  }

  try {
    await untilListening(signal)
    await list(signal)
    // Without it only changes are missed; calls do not need it.
    if (isModern()) void follow().catch(() => {})
  } catch (error) {
    closed.abort()
    upstream.close()
    throw signal.aborted
      ? problem('tool-timeout', 'The tool did not answer the MCP handshake in time', { cause: error })
      : isLost(error) && (error as Error).cause instanceof ProblemError
        ? (error as Error).cause // what the server did instead
        : error
  }

  return {
    get info() {
      return info
    },
    get initialized() {
      return initialized
    },
    request,
    async check(limit) {
      await request({ method: isModern() ? 'server/discover' : 'ping', signal: limit })
    },
    close() {
      closed.abort()
      held.close()
      subscriptions.close()
      upstream.close()
    },
  }
}

/** Servers of earlier revisions log to whoever is connected; a client hears what it asked for. */
function onlyLoud(request: UpstreamRequest, { logLevel }: RequestClient): UpstreamRequest {
  const { onNotification } = request
  if (!onNotification) return request
  return {
    ...request,
    onNotification(notification) {
      const { method, params } = notification
      if (method !== 'notifications/message' || (logLevel !== undefined && isLoud(params?.['level'], logLevel)))
        onNotification(notification)
    },
  }
}

/** Waits for a handshake that a request needs first: when that is lost, nothing of the request was sent. */
const before = (handshake: Promise<void>, signal: AbortSignal): Promise<void> =>
  unlessAborted(handshake, signal).catch((error: unknown) => {
    throw noConnection(error) || isLost(error) ? notConnected({ cause: error }) : error
  })

/** @throws The signal's reason, while the work goes on for others. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort))
}

/** The version that we speak with a client: its own when we know it, else our newest. */
export const negotiated = (asked: unknown): string =>
  (HANDSHAKE_VERSIONS as readonly unknown[]).includes(asked) ? (asked as string) : HANDSHAKE_VERSIONS[0]
