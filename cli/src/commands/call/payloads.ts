import {
  getPayloadRules,
  type PayloadRule,
  type PayloadRules,
  problem,
  putPayloadRule,
  removeCallPayload,
  removeCallPayloads,
  removePayloadRule,
} from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findInstance } from '../../find.ts'
import { table } from '../../output.ts'

export const callPayloads = command(
  'payloads',
  'Whether what is sent and answered is kept; say how many days, `off`, or `as-account` for a tool, to change it',
  {
    days: { type: 'positional', description: 'Days, `off`, or `as-account`', required: false },
    tool: { type: 'string', description: 'Of one tool only: [<toolbox>/]<tool>' },
    'most-bytes': { type: 'string', description: 'Of what is longer, the beginning is kept', default: '65536' },
    redact: { type: 'string', description: 'Never kept: paths such as $.arguments.password,$..token', default: '' },
  },
  async ({ client, args, output }) => {
    if (args.days === undefined) return output.result(await client.call(getPayloadRules, {}), describe)
    const instanceId = args.tool === undefined ? undefined : (await findInstance(client, args.tool)).id
    if (args.days === 'as-account') {
      if (instanceId === undefined) throw problem('invalid-request', 'Say of which tool with --tool')
      return output.result(await client.call(removePayloadRule, { params: { instanceId } }), describe)
    }
    const days = args.days === 'off' ? 0 : Number(args.days)
    const rule = { days, mostBytes: Number(args['most-bytes']), redact: args.redact.split(',').filter(Boolean) }
    if (Number.isNaN(rule.days) || Number.isNaN(rule.mostBytes))
      throw problem('invalid-request', 'Say how many days, or `off`; and bytes as a number')
    output.result(
      await client.call(putPayloadRule, { body: { ...(instanceId ? { instanceId } : {}), ...rule } }),
      describe,
    )
  },
)

export const callForget = command(
  'forget',
  'Forget what is kept of a call, of an agent, of a tool, or of all calls; the records stay',
  {
    call: { type: 'positional', description: 'Id of the call', required: false },
    agent: { type: 'string', description: 'Of one agent' },
    tool: { type: 'string', description: 'Of one tool: [<toolbox>/]<tool>' },
    all: { type: 'boolean', description: 'Of all calls of the account', default: false },
  },
  async ({ client, args, output }) => {
    if (args.call !== undefined) {
      await client.call(removeCallPayload, { params: { callId: args.call } })
      return output.result({ forgotten: args.call }, () => `Nothing of ${args.call} is kept but its record`)
    }
    if (!args.agent && !args.tool && !args.all)
      throw problem('invalid-request', 'Say a call, --agent, --tool, or --all')
    const query = {
      ...(args.agent ? { agentId: (await findAgent(client, args.agent)).id } : {}),
      ...(args.tool ? { instanceId: (await findInstance(client, args.tool)).id } : {}),
    }
    output.result(
      await client.call(removeCallPayloads, { query }),
      ({ removed }) => `Forgot what was kept of ${removed} calls`,
    )
  },
)

const describe = ({ account, instances }: PayloadRules): string =>
  table(
    ['tool', 'kept', 'at most', 'without'],
    [
      ['(all others)', account] as const,
      ...instances.map((one) => [one.instanceName ?? one.instanceId, one] as const),
    ].map(([name, rule]) => [name, ...wordsOf(rule)]),
  )

const wordsOf = ({ days, mostBytes, redact }: PayloadRule): readonly string[] =>
  days === 0 ? ['no', '', ''] : [`${days} days`, `${mostBytes} bytes each`, redact.join(', ')]
