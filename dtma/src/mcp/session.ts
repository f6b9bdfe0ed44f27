import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonRpcAnswer, JsonRpcNotification } from '../contract/json-rpc.ts'
import { problem } from '../contract/problems.ts'
import type { McpInfo, ToolTarget } from '../tools/tool-sessions.ts'
import { HANDSHAKE_VERSIONS, type InitializeResult, infoOf, initialize, listCapabilities } from './handshake.ts'
import { openHttp, SessionGone } from './http.upstream.ts'
import { openStdio } from './stdio.upstream.ts'
import type { Upstream, UpstreamRequest } from './upstream.ts'

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
const RELIST_MS = 10_000
/** A server that starts slowly may not be listening yet. */
const NOT_LISTENING: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH'])

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
        if (!NOT_LISTENING.has((error as NodeJS.ErrnoException).code)) throw error
        await sleep(LISTEN_RETRY_MS, undefined, { signal: limit })
      }
    }
  }

  async function list(limit: AbortSignal): Promise<void> {
    info = infoOf(initialized, await listCapabilities(upstream, initialized.capabilities, limit))
  }

  /** One at a time; what changes while it waits is listed with it. */
  let relisting = false
  async function relist(): Promise<void> {
    if (relisting) return
    relisting = true
    await sleep(LISTEN_RETRY_MS)
    relisting = false
    await list(AbortSignal.any([closed.signal, AbortSignal.timeout(RELIST_MS)]))
    onChange(info)
  }

  function heard({ method }: JsonRpcNotification): void {
    if (method !== 'notifications/tools/list_changed' || closed.signal.aborted) return
    relist().catch(() => {}) // the server lives and did not answer this time: health checks decide about it
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
        return await upstream.request(request)
      } catch (error) {
        if (!(error instanceof SessionGone)) throw error
        await shakeHands(request.signal)
        return upstream.request(request)
      }
    },
    close() {
      closed.abort()
      upstream.close()
    },
  }
}

/** The version that we speak with a client: its own when we know it, else our newest. */
export const negotiated = (asked: unknown): string =>
  (HANDSHAKE_VERSIONS as readonly unknown[]).includes(asked) ? (asked as string) : HANDSHAKE_VERSIONS[0]
