import * as z from 'zod/mini'
import type { JsonRpcAnswer } from '../contract/json-rpc.ts'
import { HANDSHAKE_VERSIONS, META_KEY, MODERN, metaOf, UNSUPPORTED_VERSION } from '../contract/mcp.ts'
import { problem } from '../contract/problems.ts'
import { Capability } from '../contract/tool.ts'
import type { McpInfo } from '../tools/tool-sessions.ts'
import { type Described, digestOf, digestOfAll } from './capability-digest.ts'
import type { Upstream } from './upstream.ts'

const InitializeResult = z.looseObject({
  protocolVersion: z.string(),
  capabilities: z.record(z.string(), z.unknown()),
  serverInfo: z.looseObject({ name: z.string(), version: z.string() }),
  instructions: z.optional(z.string()),
})
export type InitializeResult = z.infer<typeof InitializeResult>

const ToolsPage = z.looseObject({
  tools: z.array(
    z.object({
      ...z.omit(Capability, { digest: true }).shape,
      name: z.string().check(z.minLength(1), z.maxLength(256)),
    }),
  ),
  nextCursor: z.optional(z.string()),
})

const MOST_PAGES = 100
const MOST_CAPABILITIES = 2_000

/** @throws {ProblemError} `tool-protocol-error` when the server does not answer as MCP says. */
export async function initialize(upstream: Upstream, version: string, signal: AbortSignal): Promise<InitializeResult> {
  const params = {
    protocolVersion: HANDSHAKE_VERSIONS[0],
    // What some client of ours may be able to do; whether this one can is said when it is asked.
    capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} },
    clientInfo: clientInfoOf(version),
  }
  const result = await resultOf(upstream, 'initialize', params, signal)
  const parsed = InitializeResult.safeParse(result)
  if (!parsed.success) throw problem('tool-protocol-error', 'The answer to initialize is not what MCP says')
  if (!(HANDSHAKE_VERSIONS as readonly string[]).includes(parsed.data.protocolVersion))
    throw problem(
      'tool-protocol-error',
      `The tool wants MCP ${parsed.data.protocolVersion.slice(0, 40)}, which is not known here`,
    )
  return parsed.data
}

const DiscoverResult = z.looseObject({
  supportedVersions: z.array(z.string()),
  capabilities: z.record(z.string(), z.unknown()),
  instructions: z.optional(z.string()),
})
const ServerInfo = z.looseObject({ name: z.string(), version: z.string() })

/**
 * Asks a server whether it speaks the modern revision. One that does not know the question refuses it, or never answers.
 * @returns `undefined` when it is to be greeted with `initialize`.
 */
export async function discover(upstream: Upstream, signal: AbortSignal): Promise<InitializeResult | undefined> {
  const ask = () => upstream.request({ method: 'server/discover', params: {}, signal })
  const first = await ask()
  const answer = namesModern(first) ? await ask() : first
  const parsed = DiscoverResult.safeParse('result' in answer ? answer.result : undefined)
  if (!parsed.success || !parsed.data.supportedVersions.includes(MODERN)) return undefined
  const named = ServerInfo.safeParse(metaOf(parsed.data)?.[META_KEY.serverInfo] ?? parsed.data['serverInfo'])
  const { capabilities, instructions } = parsed.data
  return {
    protocolVersion: MODERN,
    capabilities,
    serverInfo: named.success ? named.data : { name: 'unnamed', version: '0' },
    ...(instructions === undefined ? {} : { instructions }),
  }
}

/** Refused for its revision, and told to ask in the one that it was asked in. */
function namesModern(answer: JsonRpcAnswer): boolean {
  if (!('error' in answer) || answer.error.code !== UNSUPPORTED_VERSION) return false
  const { supported } = Object(answer.error.data) as { readonly supported?: unknown }
  return Array.isArray(supported) && supported.includes(MODERN)
}

export const clientInfoOf = (version: string) => ({ name: 'agentopia-dtma', version })

/** Every page of `tools/list`; none when the server offers no tools at all. */
export async function listCapabilities(
  upstream: Upstream,
  offered: InitializeResult['capabilities'],
  signal: AbortSignal,
): Promise<Capability[]> {
  if (offered['tools'] === undefined) return []
  const found = new Map<string, Capability>()
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const parsed = ToolsPage.safeParse(
      await resultOf(upstream, 'tools/list', cursor === undefined ? {} : { cursor }, signal),
    )
    if (!parsed.success) throw problem('tool-protocol-error', 'The answer to tools/list is not what MCP says')
    for (const tool of parsed.data.tools)
      found.set(tool.name, { ...(tool as Described), digest: digestOf(tool as Described) })
    if (found.size > MOST_CAPABILITIES)
      throw problem('tool-protocol-error', `The tool offers more than ${MOST_CAPABILITIES} capabilities`)
    cursor = parsed.data.nextCursor
    if (cursor === undefined) break
  }
  return [...found.values()]
}

export function infoOf(
  { protocolVersion, serverInfo }: InitializeResult,
  capabilities: readonly Capability[],
): McpInfo {
  const { name, version } = serverInfo
  return {
    protocolVersion,
    server: { name: name.slice(0, 200), version: version.slice(0, 100) },
    capabilities,
    digest: digestOfAll(capabilities),
  }
}

async function resultOf(
  upstream: Upstream,
  method: string,
  params: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await upstream.request({ method, params, signal })
  if ('error' in answer)
    throw problem('tool-protocol-error', `The tool refused ${method}: ${answer.error.message.slice(0, 300)}`)
  return answer.result
}
