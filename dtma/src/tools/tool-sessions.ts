import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { ProblemError } from '../contract/problem.ts'
import type { Capability } from '../contract/tool.ts'
import type { HttpReply, HttpRequest } from '../http/exchange.ts'

/** The two ends of a container's standard streams that carry MCP. Newline-delimited JSON-RPC, UTF-8; stderr is not among them. */
export interface ToolChannel {
  readonly stdin: Writable
  /** Ends when the container exits or Docker drops the connection. Destroy the channel through {@link close}, not this stream. */
  readonly stdout: Readable
  /** Detaches; the container keeps running. Safe to call twice. */
  close(): void
}

/** One running container that is to speak MCP. The caller opens it again, with a new target, after each start. */
export type ToolTarget = {
  /** Name of the tool, and of its session. */
  readonly name: string
  readonly containerId: string
  /** A server that ran before this DTMA did: it may have been initialised by our predecessor, and a torn first line may arrive. */
  readonly adopted: boolean
  /** Of MCP, that the same server spoke when it ran before: it need not be found out again. */
  readonly revision?: string
} & (
  | { readonly transport: 'stdio'; readonly channel: ToolChannel }
  | {
      readonly transport: 'http'
      /** Of the server's MCP endpoint, e.g. `http://172.20.0.2:3000/mcp`. */
      readonly url: string
      /** A connection to it: this process has no address on the network of the tool. Absent: it is dialled as it is. */
      readonly connect?: () => Promise<Socket>
    }
)

/** What a server said about itself: the answers to `initialize` and `tools/list` (all pages). */
export interface McpInfo {
  readonly protocolVersion: string
  readonly server: { readonly name: string; readonly version: string }
  readonly capabilities: readonly Capability[]
  /** Changes when any capability's name, schema or description does. */
  readonly digest: string
}

/** The MCP sessions with the servers in our containers, one per tool, keyed by the tool's name. */
export interface ToolSessions {
  /**
   * Performs the handshake and lists the capabilities. A session of the same name is closed first. The session owns the
   * target's channel from here on, also when this rejects. An HTTP server may need a while to listen: a refused connection is
   * tried again until `signal` aborts.
   * @throws {ProblemError} `tool-timeout`, `tool-lost` or `tool-protocol-error`, in one sentence that may be shown to people.
   */
  open(target: ToolTarget, signal: AbortSignal): Promise<McpInfo>
  /** Ends the session and fails the calls in flight with `tool-lost`. Succeeds when there is none. */
  close(name: string): void
  /**
   * MCP `ping`. Any answer counts, an error too: it shows that the server is alive. Rejects as {@link open} does when there is
   * none until `signal` aborts, and when there is no session.
   */
  check(name: string, signal: AbortSignal): Promise<void>
  onChange(listener: SessionListener): void
}

/**
 * Told news: the server changed its capabilities, or (`undefined`) the session is lost and must be opened again.
 * @param why The server did what no session survives: it is to be started again first.
 */
export type SessionListener = (name: string, info: McpInfo | undefined, why?: ProblemError) => void

/** Calls of one capability, for `POST /tools/{name}/execute`. */
export interface ToolCalls {
  /**
   * @returns The MCP result as the server gave it.
   * @throws {ProblemError} `tool-not-running`, `tool-lost`, `tool-timeout`, `tool-protocol-error` or `too-busy`.
   */
  call(
    name: string,
    capability: string,
    args: Readonly<Record<string, unknown>>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>>
}

/** Serves `ALL /tools/{name}/mcp`: MCP's streamable HTTP in, the tool's session out. The caller is authenticated already. */
export type McpEndpoint = (name: string, request: HttpRequest) => Promise<HttpReply>
