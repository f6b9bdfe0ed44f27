import { type Agent, AgentLimits, DEFAULT_CALLS_PER_MINUTE, updateAgent, wordsOfIssue } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { facts } from '../../output.ts'
import { UsageError } from '../../usage-error.ts'
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
    'per-minute': option(`Calls in one minute, ${DEFAULT_CALLS_PER_MINUTE} unless set`),
    'per-day': option('Calls in one day, UTC'),
    'argument-bytes': option('Longest arguments of one call'),
    'result-bytes': option('Longest answer of one call'),
  },
  async ({ client, args, output }) => {
    const change = changeOf(args as Readonly<Record<string, unknown>>, args.capability !== undefined)
    const agent = await findAgent(client, args.agent)
    if (Object.keys(change).length === 0) return output.result(agent, describe)
    const limits = withChange(agent.limits, args.capability, change)
    output.result(await client.call(updateAgent, { params: { agentId: agent.id }, body: { limits } }), describe)
  },
)

type Change = Record<string, number | null | undefined>

/** @throws {UsageError} Naming the option whose value is none. */
function changeOf(args: Readonly<Record<string, unknown>>, ofCapability: boolean): Change {
  const change: Change = {}
  for (const [name, field] of Object.entries(OPTIONS)) {
    const text = args[name]
    if (typeof text !== 'string') continue
    const value = text === 'none' ? undefined : /^\d+$/.test(text) ? Number(text) : Number.NaN
    const parsed = AgentLimits.shape[field].safeParse(value, { error: wordsOfIssue })
    if (!parsed.success) throw new UsageError(`--${name}: ${parsed.error.issues[0]?.message}, or none`)
    if (ofCapability && (field === 'argumentBytes' || field === 'resultBytes'))
      throw new UsageError(`--${name}: is of the whole agent; leave --capability out`)
    // An agent of which nothing is said has the usual number of calls; that it is not limited has to be said.
    change[field] = value === undefined && field === 'perMinute' && !ofCapability ? null : value
  }
  return change
}

/** Limits with some of them changed, of the agent or of one of its capabilities. */
function withChange(limits: AgentLimits, capability: string | undefined, change: Change): AgentLimits {
  if (capability === undefined) return { ...limits, ...change }
  const own = limits.capabilities?.find((one) => one.capability === capability)
  const others = limits.capabilities?.filter((one) => one !== own) ?? []
  const { perMinute, perDay } = { ...own, ...change } as { perMinute?: number; perDay?: number }
  const isLimited = perMinute !== undefined || perDay !== undefined
  return { ...limits, capabilities: isLimited ? [...others, { capability, perMinute, perDay }] : others }
}

const describe = ({ name, limits: { capabilities = [], ...own } }: Agent): string =>
  facts([
    ['agent', name],
    ...Object.entries(OPTIONS).map(([words, field]) => [words.replace('-', ' '), numberOf(field, own[field])] as const),
    ...capabilities.map(
      ({ capability, perMinute, perDay }) =>
        [capability, `${perMinute ?? 'any'} a minute, ${perDay ?? 'any'} a day`] as const,
    ),
  ])

const numberOf = (field: keyof AgentLimits, value: number | null | undefined): number | string =>
  value ?? (field === 'perMinute' && value === undefined ? `${DEFAULT_CALLS_PER_MINUTE} (unless set)` : 'not limited')
