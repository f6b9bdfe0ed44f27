import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonRpcAnswer, JsonRpcNotification } from '../contract/json-rpc.ts'
import { problem } from '../contract/problems.ts'
import type { McpInfo, ToolTarget } from '../tools/tool-sessions.ts'
import { HANDSHAKE_VERSIONS, type InitializeResult, infoOf, initialize, listCapabilities } from './handshake.ts'
import { openHttp, SessionGone } from './http.upstream.ts'
import { openStdio } from './stdio.upstream.ts'
import { lost, type Upstream, type UpstreamRequest } from './upstream.ts'

/** The session with one server: the handshake is made, and made again where the protocol allows it. */
export interface Session {
  readonly info: McpInfo
  /** The server's own answer to `initialize`, for those who ask us. */
  readonly initialized: InitializeResult
  request(request: UpstreamRequest): Promise<JsonRpcAnswer>
  close(): void
}

export interface SessionDeps {
  /** Version of this DTMA, told to servers. */
  readonly version: string
  readonly firstId: number
  readonly onChange: (info: McpInfo) => void
  readonly onLost: () => void
}

const LISTEN_RETRY_MS = 100
/** Changes within this time are read at once. */
const GATHER_MS = 100
const RELIST_MS = 10_000
const RENEW_MS = 10_000
/** A server that starts slowly may not be listening yet; later it means that the server is gone. */
const NO_CONNECTION: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'EPIPE'])
const noConnection = (error: unknown): boolean => NO_CONNECTION.has((error as NodeJS.ErrnoException).code)

/** @throws {ProblemError} `tool-timeout` or `tool-protocol-error`; the target's channel is closed then. */
export async function openSession(
  target: ToolTarget,
  { version, firstId, onChange, onLost }: SessionDeps,
  signal: AbortSignal,
): Promise<Session> {
  const closed = new AbortController()
  const http = target.transport === 'http' ? openHttp(target.url, firstId, { onNotification: heard }) : undefined
  const upstream: Upstream =
    http ??
    openStdio((target as Extract<ToolTarget, { transport: 'stdio' }>).channel, firstId, {
      onNotification: heard,
      onLost,
    })
  let initialized: InitializeResult
  let info: McpInfo

  async function shakeHands(limit: AbortSignal): Promise<void> {
    initialized = await initialize(upstream, version, limit)
    http?.agree(initialized.protocolVersion)
    upstream.notify('notifications/initialized')
  }

  async function untilListening(limit: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await shakeHands(limit)
      } catch (error) {
        if (!noConnection(error)) throw error
        await sleep(LISTEN_RETRY_MS, undefined, { signal: limit })
      }
    }
  }

  async function list(limit: AbortSignal): Promise<void> {
    info = infoOf(initialized, await listCapabilities(upstream, initialized.capabilities, limit))
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
      .then(relistSoon)
      .finally(() => {
        renewing = undefined
      })
    return renewing
  }

  function heard({ method }: JsonRpcNotification): void {
    if (method !== 'notifications/tools/list_changed' || closed.signal.aborted) return
    relistSoon()
  }

  try {
    await untilListening(signal)
    await list(signal)
  } catch (error) {
    closed.abort()
    upstream.close()
    throw signal.aborted
      ? problem('tool-timeout', 'The tool did not answer the MCP handshake in time', { cause: error })
      : error
  }

  return {
    get info() {
      return info
    },
    get initialized() {
      return initialized
    },
    async request(request) {
      try {
        if (renewing !== undefined) await unlessAborted(renewing, request.signal)
        return await upstream.request(request)
      } catch (error) {
        if (noConnection(error)) throw lost({ cause: error })
        if (!(error instanceof SessionGone)) throw error
        if (!http?.inSession) await unlessAborted(renew(), request.signal)
        return upstream.request(request)
      }
    },
    close() {
      closed.abort()
      upstream.close()
    },
  }
}

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
