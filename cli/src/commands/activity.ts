import { listActivity } from '@agentopia/api'
import { command } from '../command.ts'
import { table } from '../output.ts'

export const activity = command(
  'activity',
  'What happened, newest first',
  { limit: { type: 'string', description: 'At most so many', default: '50' } },
  async ({ client, args, output }) => {
    output.result(await client.call(listActivity, { query: { limit: args.limit } }), ({ items }) =>
      table(
        ['when', 'who', 'what', ''],
        items.map((one) => [one.at, one.actor, one.action, one.message]),
      ),
    )
  },
)
