import { exportCalls, problem } from '@agentopia/api'
import { command } from '../../command.ts'
import { FILTER, filterOf } from './filter.ts'

export const callExport = command(
  'export',
  'All calls that fit, oldest first, to standard output',
  { ...FILTER, format: { type: 'string', description: 'ndjson or csv', default: 'ndjson' } },
  async ({ client, args, world, signal }) => {
    const { format } = args
    if (format !== 'ndjson' && format !== 'csv') throw problem('invalid-request', 'The format is ndjson or csv')
    const response = await client.open(
      exportCalls,
      { query: { ...(await filterOf(client, args)), format } },
      { signal },
    )
    if (!response.body) return
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) world.streams.out(text)
  },
)
