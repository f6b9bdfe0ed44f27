import { ChangeHint, type Client, followChanges, listCalls, readEventStream } from '@agentopia/api'
import { command } from '../../command.ts'
import { callLine, FILTER, filterOf } from './filter.ts'

/** Calls that are known, so that one that ended late, behind others that began after it, is told too. */
const MOST_KNOWN = 5_000

export const callTail = command('tail', 'Calls as they are recorded', FILTER, async (context) => {
  const { client, args, output, signal } = context
  const filter = await filterOf(client, args)
  // First listen, then look: what comes in between is heard.
  const changes = await client.open(followChanges, {}, { signal })
  const known = new Set((await newest(client, filter)).map(({ id }) => id))
  output.note('Waiting for calls; Ctrl-C ends it')
  for await (const { data } of readEventStream(changes, ChangeHint)) {
    if (data.noun !== 'call' && data.noun !== 'everything') continue
    for (const call of await newest(client, filter)) {
      if (known.has(call.id)) continue
      known.add(call.id)
      if (known.size > MOST_KNOWN) known.delete(known.values().next().value!)
      output.event(call, callLine)
    }
  }
})

/** The newest calls, oldest of them first. */
const newest = async (client: Client, filter: Awaited<ReturnType<typeof filterOf>>) =>
  (await client.call(listCalls, { query: { ...filter, limit: 200 } })).items.toReversed()
