import { problem } from '@agentopia/api'
import {
  type Capability,
  type Client,
  deleteTool,
  getCapabilities,
  getTool,
  type Operation,
  ProblemError,
  putTool,
  putToolSecrets,
  type SecretValues,
  type ToolRequest,
  type ToolStatus,
  withdrawToolSecrets,
} from '@agentopia/dtma/contract'
import { type CallUpstream, translated } from '../gateway/upstream.ts'

interface Tool {
  request: ToolRequest
  held: SecretValues | undefined
  /** What the present container was started with. */
  used: SecretValues | undefined
  starts: number
}

/** The toolboxes of a test: they start what they are asked to, and their one capability tells the secret that it was started with. */
export function fakeToolboxes() {
  const tools = new Map<string, Tool>()
  const asked: string[] = []
  const world = {
    tools,
    /** Operations in order, `putTool inst_…-agent_…`. */
    asked,
    /** Starts take so many looks. */
    looks: 1,
    /** A server that is not content with its secret. */
    dislikes: '',
    /** How the servers describe their one capability, in a word. */
    offers: 'c1',
    /** Servers that offer something else, by name of the tool. */
    lists: new Map<string, readonly Capability[]>(),
    statusOf,
    /** Servers that do what they are asked and then end, by name of the tool: once. */
    ends: new Set<string>(),
    /** What was sent to whom. */
    calls: [] as { readonly tool: string; readonly toolboxId: string }[],
    clientOf,
    callUpstream,
  }

  function offerOf(name: string): { digest: string; capabilities: readonly Capability[] } {
    const capabilities = world.lists.get(name) ?? [{ name: 'tell', inputSchema: {}, digest: world.offers }]
    return { digest: `all of ${capabilities.map(({ digest }) => digest).join(', ')}`, capabilities }
  }

  function statusOf(name: string): ToolStatus {
    const tool = tools.get(name)
    if (!tool) throw new ProblemError('tool-not-found', { status: 404, title: '', retryable: false, fix: '' }, name)
    const { request, held } = tool
    const wantsToRun = request.desired === 'running' && held !== undefined
    if (!wantsToRun) tool.used = undefined
    else if (tool.used?.version !== held.version) {
      tool.starts += 1
      if (tool.starts > world.looks) {
        tool.used = held
        tool.starts = 0
      }
    }
    const up = tool.used !== undefined && tool.used === held
    const disliked = up && Object.values(held).length > 0 && Object.values(held.values).includes(world.dislikes)
    return {
      name,
      generation: request.generation,
      desired: request.desired,
      since: '2026-01-01T00:00:00.000Z',
      restarts: 0,
      secrets: { ...(held ? { held: held.version } : {}), ...(up && !disliked ? { used: held!.version } : {}) },
      ...(disliked
        ? { state: 'exited' as const, reason: 'crash_loop' as const, message: 'The server exited with code 1' }
        : !wantsToRun
          ? { state: 'blocked' as const, reason: 'missing_credential' as const }
          : up
            ? {
                state: 'running' as const,
                mcp: {
                  protocolVersion: '2025-11-25',
                  server: { name: 's', version: '1' },
                  capabilityDigest: offerOf(name).digest,
                  capabilityCount: 1,
                },
              }
            : { state: 'starting' as const }),
    }
  }

  function answer(op: Operation, name: string, body: unknown): unknown {
    asked.push(`${op.id} ${name}`)
    const tool = tools.get(name)
    switch (op.id) {
      case putTool.id:
        tools.set(name, {
          ...(tool ?? { held: undefined, used: undefined, starts: 0 }),
          request: body as ToolRequest,
        })
        return statusOf(name)
      case putToolSecrets.id:
        statusOf(name)
        if (tool!.held?.version !== (body as SecretValues).version) tool!.held = body as SecretValues
        return statusOf(name)
      case withdrawToolSecrets.id:
        tool!.held = undefined
        tool!.used = undefined
        return statusOf(name)
      case deleteTool.id:
        tools.delete(name)
        return undefined
      case getTool.id:
        return statusOf(name)
      case getCapabilities.id:
        return offerOf(name)
      default:
        throw new Error(`${op.id} is not asked for here`)
    }
  }

  function clientOf(): Client {
    return {
      call: async (op: Operation, input: unknown) => {
        const { params, body } = input as { params: { name: string }; body?: unknown }
        return answer(op, params.name, body) as never
      },
      open: () => Promise.reject(new Error('no streams here')),
    }
  }

  async function callUpstream({ toolbox, instanceId, id }: Parameters<CallUpstream>[0]) {
    world.calls.push({ tool: instanceId, toolboxId: toolbox.id })
    const used = tools.get(instanceId)?.used
    if (!used) throw problem('instance-not-running', `The tool ${instanceId} has no MCP session now`)
    if (world.ends.delete(instanceId)) {
      tools.delete(instanceId)
      throw translated(new ProblemError('tool-lost', { status: 502, title: '', retryable: false, fix: '' }, 'it ended'))
    }
    const result = { content: [{ type: 'text', text: used.values['apiKey'] ?? 'none' }] }
    return { answer: { result }, written: JSON.stringify({ jsonrpc: '2.0', id, result }) }
  }

  return world
}
