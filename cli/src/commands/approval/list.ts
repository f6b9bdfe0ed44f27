import { listApprovals } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { approvalTable, approvalText } from './describe.ts'

export const approvalList = command(
  'list',
  'Calls that wait for a person, with their arguments; or what became of earlier ones',
  {
    settled: { type: 'boolean', description: 'Those that were decided, or can be decided no more', default: false },
    agent: { type: 'string', description: 'Of one agent only' },
  },
  async ({ client, args, output }) => {
    const agentId = args.agent ? (await findAgent(client, args.agent)).id : undefined
    const state = args.settled ? 'settled' : 'waiting'
    const { items } = await client.call(listApprovals, { query: { state, agentId, limit: 200 } })
    output.result(items, (all) => {
      if (args.settled) return approvalTable(all)
      return all.length === 0 ? 'Nothing waits for a person' : all.toReversed().map(approvalText).join('\n\n')
    })
  },
)
