import { followInstanceLogs, LogLine, readEventStream } from '@agentopia/api'
import { command } from '../../command.ts'
import { findInstance } from '../../find.ts'
import { printable } from '../../output.ts'
import { PLACE } from './place.ts'

export const toolLogs = command(
  'logs',
  'Read or follow the log of a tool',
  {
    ...PLACE,
    follow: { type: 'boolean', alias: 'f', description: 'Keep following', default: false },
    tail: { type: 'string', description: 'Begin with so many of the last lines', default: '100' },
  },
  async ({ client, args, output, signal }) => {
    const { toolboxId, id } = await findInstance(client, args.tool)
    const response = await client.open(
      followInstanceLogs,
      { params: { toolboxId, instanceId: id }, query: { follow: String(args.follow), tail: args.tail } },
      { signal },
    )
    for await (const { data } of readEventStream(response, LogLine))
      output.event(data, ({ at, line }) => `${at}  ${printable(line)}`)
  },
)
