import { createAgentToken, wordsOfIssue } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { UsageError } from '../../usage-error.ts'
import { ONE_CLIENT, snippetLines } from '../snippets.ts'
import { AGENT } from './name.ts'

export const agentConnect = command(
  'connect',
  'Make a token for an agent and print a client configuration to paste; the secret is shown once',
  {
    ...AGENT,
    name: { type: 'string', description: 'Name of the token', default: 'agentopia CLI' },
    'expires-in': { type: 'string', description: 'Days after which the token expires; default: it does not' },
    ...ONE_CLIENT,
  },
  async ({ client, args, output }) => {
    const expiresInDays = daysOf(args['expires-in'])
    const { id } = await findAgent(client, args.agent)
    const body = { name: args.name, ...(expiresInDays === undefined ? {} : { expiresInDays }) }
    const made = await client.call(createAgentToken, { params: { agentId: id }, body })
    output.result(made, ({ token, snippets, mcpUrl }) =>
      [
        `MCP endpoint: ${mcpUrl}`,
        ...(token.expiresAt ? [`The token expires: ${token.expiresAt}`] : []),
        ...snippetLines(snippets, args.client),
      ].join('\n'),
    )
  },
)

/** @throws {UsageError} Naming the option, when it is no number of days that a token may have. */
function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const { expiresInDays } = createAgentToken.body.shape
  const days = expiresInDays.safeParse(/^\d+$/.test(text) ? Number(text) : Number.NaN, { error: wordsOfIssue })
  if (!days.success) throw new UsageError(`--expires-in: ${days.error.issues[0]?.message}`)
  return days.data
}
