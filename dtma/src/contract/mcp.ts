import { isObject, type JsonRpcRequest } from './json-rpc.ts'

/** Calls of one tool that a control plane has under way at once, at most; the others wait at its side. */
export const CALLS_AT_ONCE = 64

/** The revision in which every request says what it speaks and what its client can do; there is no handshake and no session. */
export const MODERN = '2026-07-28'
/** Revisions that begin with `initialize`, newest first. */
export const HANDSHAKE_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

/** Error of JSON-RPC: this revision is not spoken here; `data.supported` says which are. */
export const UNSUPPORTED_VERSION = -32_022

/** Keys of `_meta` under this prefix are between a client and the server next to it. */
const META = 'io.modelcontextprotocol/'
export const META_KEY = {
  protocolVersion: `${META}protocolVersion`,
  clientCapabilities: `${META}clientCapabilities`,
  clientInfo: `${META}clientInfo`,
  serverInfo: `${META}serverInfo`,
  logLevel: `${META}logLevel`,
  subscriptionId: `${META}subscriptionId`,
} as const

type Params = JsonRpcRequest['params']

/** The client of one request, as far as a server may rely on it. */
export interface RequestClient {
  /** What it can be asked: `sampling`, `elicitation`, `roots`. */
  readonly capabilities: Readonly<Record<string, unknown>>
  /** The least severe log message that it wants to hear; `undefined`: none. */
  readonly logLevel: string | undefined
}

/** Only what a client may be asked goes through us; experiments and extensions of its own are between it and nobody. */
const ABILITIES = ['sampling', 'elicitation', 'roots'] as const

export const metaOf = (params: Params): Readonly<Record<string, unknown>> | undefined => {
  const meta = params?.['_meta']
  return isObject(meta) ? meta : undefined
}

/** What a request says of its client. One that says nothing can be asked nothing. */
export function clientOf(params: Params): RequestClient {
  const meta = metaOf(params)
  const said = Object(meta?.[META_KEY.clientCapabilities]) as Record<string, unknown>
  const level = meta?.[META_KEY.logLevel]
  return {
    capabilities: Object.fromEntries(ABILITIES.filter((name) => said[name]).map((name) => [name, said[name]])),
    logLevel: typeof level === 'string' ? level : undefined,
  }
}

/** `_meta` without what is between its sender and us; `undefined` when nothing is left of it. */
export function forwardedMeta(params: Params): Readonly<Record<string, unknown>> | undefined {
  const entries = Object.entries(metaOf(params) ?? {}).filter(([key]) => !key.startsWith(META))
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** `_meta` as the modern revision wants it with every request. */
export const envelopeOf = ({ capabilities, logLevel }: RequestClient): Readonly<Record<string, unknown>> => ({
  [META_KEY.protocolVersion]: MODERN,
  [META_KEY.clientCapabilities]: capabilities,
  ...(logLevel === undefined ? {} : { [META_KEY.logLevel]: logLevel }),
})

/** Severity, least first. */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']
export const isLogLevel = (level: unknown): level is string => LEVELS.includes(level as string)
export const isLoud = (level: unknown, least: string): boolean =>
  LEVELS.indexOf(level as string) >= LEVELS.indexOf(least)

/** What a header can hold of a text; the rest travels as `=?base64?…?=`. */
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
export const headerValueOf = (text: string): string =>
  PLAIN.test(text) && !text.startsWith('=?base64?')
    ? text
    : `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`

/** What `Mcp-Name` repeats of the parameters. */
export const nameOf = (method: string, params: Params): unknown => {
  if (method === 'tools/call' || method === 'prompts/get') return params?.['name']
  return method === 'resources/read' ? params?.['uri'] : undefined
}

/** Requests in which a server may want something of the client before it answers. */
const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])
export const mayAsk = (method: string): boolean => MAY_ASK.has(method)
