import { listCalls } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { table } from '../../output.ts'

export const callList = command(
  'list',
  'The recorded calls, newest first',
  {
    agent: { type: 'string', description: 'Of one agent only' },
    limit: { type: 'string', description: 'At most so many', default: '50' },
  },
  async ({ client, args, output }) => {
    const agentId = args.agent ? (await findAgent(client, args.agent)).id : undefined
    output.result(await client.call(listCalls, { query: { limit: args.limit, agentId } }), ({ items }) =>
      table(
        ['when', 'agent', 'capability', 'outcome', 'ms'],
        items.map((one) => [
          one.startedAt,
          one.agentName,
          one.instanceName ? `${one.instanceName}__${one.capability}` : one.capability,
          one.outcome,
          one.durationMs.toFixed(1),
        ]),
      ),
    )
  },
)
