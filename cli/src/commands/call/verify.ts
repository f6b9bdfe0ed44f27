import { type CallVerification, problem, verifyCalls } from '@agentopia/api'
import { command } from '../../command.ts'
import { facts } from '../../output.ts'

export const callVerify = command(
  'verify',
  'Check that no record of a call was changed, removed or added since it was written',
  { head: { type: 'string', description: 'A head noted earlier, as <sequence>:<hash>: it must be in the chain' } },
  async ({ client, args, output, signal }) => {
    const [sequence, hash, ...rest] = args.head?.split(':') ?? []
    if (args.head !== undefined && (hash === undefined || rest.length > 0))
      throw problem('invalid-request', 'Name the head as <sequence>:<hash>')
    const found = await client.call(verifyCalls, { query: { sequence, hash } }, { signal })
    output.result(found, describe)
    if (found.broken)
      throw problem('chain-broken', `Record ${found.broken.sequence}: ${found.broken.message} (${found.broken.reason})`)
  },
)

const describe = ({ checked, head, removed, unchained, broken }: CallVerification): string =>
  facts([
    ['chain', broken ? 'broken' : 'intact'],
    ['checked', checked],
    ['head', `${head.sequence}:${head.hash}`],
    ['removed up to', removed && `${removed.sequence}:${removed.hash}`],
    ['older than the chain', unchained > 0 ? unchained : undefined],
    ['first broken', broken?.callId ?? broken?.sequence],
  ])
