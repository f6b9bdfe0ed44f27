import { listCalls } from '@agentopia/api'
import { command } from '../../command.ts'
import { callTable, FILTER, filterOf } from './filter.ts'

export const callList = command(
  'list',
  'The recorded calls, newest first',
  { ...FILTER, limit: { type: 'string', description: 'At most so many', default: '50' } },
  async ({ client, args, output }) => {
    const query = { ...(await filterOf(client, args)), limit: args.limit }
    output.result(await client.call(listCalls, { query }), ({ items }) => callTable(items))
  },
)
