import type { Call, CallFilter, Client } from '@agentopia/api'
import { findAgent, findInstance } from '../../find.ts'
import { table } from '../../output.ts'

/** The options that say which calls. */
export const FILTER = {
  agent: { type: 'string', description: 'Of one agent only' },
  tool: { type: 'string', description: 'Of one tool only: [<toolbox>/]<tool>' },
  capability: { type: 'string', description: 'Of one capability only' },
  outcome: { type: 'string', description: 'ok, tool_error, denied, failed, timeout or cancelled' },
  from: { type: 'string', description: 'Began at this time or later (ISO 8601, UTC)' },
  to: { type: 'string', description: 'Began before this time (ISO 8601, UTC)' },
  text: { type: 'string', description: 'Part of the name of agent, tool or capability, of the code, or a call id' },
} as const

type Given = { readonly [Name in keyof typeof FILTER]?: string | undefined }

/** What the options mean to the API. What is no such value is refused there. */
export async function filterOf(client: Client, { agent, tool, outcome, ...rest }: Given): Promise<CallFilter> {
  const { capability, from, to, text } = rest
  return {
    agentId: agent ? (await findAgent(client, agent)).id : undefined,
    instanceId: tool ? (await findInstance(client, tool)).id : undefined,
    outcome: outcome as Call['outcome'] | undefined,
    capability,
    from,
    to,
    text,
  }
}

const COLUMNS = ['when', 'agent', 'capability', 'outcome', 'code', 'ms'] as const

export const callTable = (calls: readonly Call[]): string => table(COLUMNS, calls.map(cellsOf))

/** One call, without a heading: for what comes one by one. */
export const callLine = (call: Call): string => table(cellsOf(call).map(String), [])

const cellsOf = (one: Call): readonly string[] => [
  one.startedAt,
  one.agentName,
  one.instanceName ? `${one.instanceName}__${one.capability}` : one.capability,
  one.outcome,
  one.code ?? '',
  one.durationMs.toFixed(1),
]
