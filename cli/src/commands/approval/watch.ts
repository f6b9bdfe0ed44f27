import { ChangeHint, type Client, followChanges, listApprovals, readEventStream } from '@agentopia/api'
import { command } from '../../command.ts'
import { approvalText } from './describe.ts'

/** So many are remembered as told. */
const MOST_KNOWN = 5_000

export const approvalWatch = command(
  'watch',
  'Calls that wait for a person, as they come',
  {},
  async ({ client, output, signal }) => {
    // First listen, then look: what comes in between is heard.
    const changes = await client.open(followChanges, {}, { signal })
    const known = new Set<string>()
    const tell = async () => {
      for (const approval of await waiting(client)) {
        if (known.has(approval.id)) continue
        known.add(approval.id)
        if (known.size > MOST_KNOWN) known.delete(known.values().next().value!)
        output.event(approval, approvalText)
      }
    }
    output.note('Waiting for calls that a person is asked about; Ctrl-C ends it')
    await tell()
    for await (const { data } of readEventStream(changes, ChangeHint))
      if (data.noun === 'approval' || data.noun === 'everything') await tell()
  },
)

/** The oldest first. */
const waiting = async (client: Client) =>
  (await client.call(listApprovals, { query: { limit: 200 } })).items.toReversed()
