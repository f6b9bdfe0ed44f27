import { listApiTokens } from '@agentopia/api'
import { command } from '../../command.ts'
import { table } from '../../output.ts'

export const tokenList = command('list', 'List the own API tokens', {}, async ({ client, output }) => {
  output.result(await client.call(listApiTokens, {}), ({ items }) =>
    table(
      ['name', 'begins with', 'role', 'last used', 'expires', 'id'],
      items.map((one) => [one.name, one.hint, one.role, one.lastUsedAt, one.expiresAt, one.id]),
    ),
  )
})
