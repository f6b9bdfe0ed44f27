import { revokeApiToken } from '@agentopia/api'
import { command } from '../../command.ts'

export const tokenRevoke = command(
  'revoke',
  'Revoke an API token',
  { token: { type: 'positional', description: 'Id of the token', required: true } },
  async ({ client, args, output }) => {
    await client.call(revokeApiToken, { params: { tokenId: args.token } })
    output.result({ revoked: args.token }, () => `${args.token} is revoked`)
  },
)
