import { type Agent, AgentLimits, problem, updateAgent } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { facts } from '../../output.ts'
import { AGENT } from './name.ts'

const OPTIONS = {
  'per-minute': 'perMinute',
  'per-day': 'perDay',
  'argument-bytes': 'argumentBytes',
  'result-bytes': 'resultBytes',
} as const

const option = (description: string) =>
  ({ type: 'string', description: `${description}; \`none\`: not limited` }) as const

export const agentLimit = command(
  'limit',
  'How much an agent may call; without options: what is set',
  {
    ...AGENT,
    capability: { type: 'string', description: 'Limit <tool>__<capability> alone (per minute and per day)' },
    'per-minute': option('Calls in one minute'),
    'per-day': option('Calls in one day, UTC'),
    'argument-bytes': option('Longest arguments of one call'),
    'result-bytes': option('Longest answer of one call'),
  },
  async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const change: Record<string, number | undefined> = {}
    for (const [name, field] of Object.entries(OPTIONS)) {
      const value = (args as Readonly<Record<string, unknown>>)[name]
      if (typeof value === 'string') change[field] = value === 'none' ? undefined : Number(value)
    }
    if (Object.keys(change).length === 0) return output.result(agent, describe)
    const limits = AgentLimits.safeParse(withChange(agent.limits, args.capability, change))
    if (!limits.success) throw problem('invalid-request', limits.error.issues.map(({ message }) => message).join('; '))
    output.result(
      await client.call(updateAgent, { params: { agentId: agent.id }, body: { limits: limits.data } }),
      describe,
    )
  },
)

/** Limits with some of them changed, of the agent or of one of its capabilities. */
function withChange(limits: AgentLimits, capability: string | undefined, change: object): object {
  if (capability === undefined) return { ...limits, ...change }
  const own = limits.capabilities?.find((one) => one.capability === capability)
  const others = limits.capabilities?.filter((one) => one !== own) ?? []
  const { perMinute, perDay, ...rest } = { ...own, ...change } as Record<string, unknown>
  const changed = { ...rest, capability, perMinute, perDay }
  const isLimited = perMinute !== undefined || perDay !== undefined
  return { ...limits, capabilities: isLimited ? [...others, changed] : others }
}

const describe = ({ name, limits: { capabilities = [], ...own } }: Agent): string =>
  facts([
    ['agent', name],
    ...Object.entries(OPTIONS).map(([words, field]) => [words.replace('-', ' '), own[field] ?? 'not limited'] as const),
    ...capabilities.map(
      ({ capability, perMinute, perDay }) =>
        [capability, `${perMinute ?? 'any'} a minute, ${perDay ?? 'any'} a day`] as const,
    ),
  ])
