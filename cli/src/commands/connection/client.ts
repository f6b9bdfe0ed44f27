import { listOAuthClients, type OAuthClient, putOAuthClient } from '@agentopia/api'
import { command } from '../../command.ts'
import { table } from '../../output.ts'

const lines = (items: readonly OAuthClient[]): string =>
  table(
    ['authorization server', 'client id', 'secret', 'registered', 'redirect address'],
    items.map(({ issuer, clientId, secret, registered, redirectUri }) => [
      issuer,
      clientId,
      secret ? 'yes' : 'none',
      registered.replaceAll('-', ' '),
      redirectUri,
    ]),
  )

export const connectionClients = command(
  'clients',
  'How authorization servers know this account',
  {},
  async ({ client, output }) => output.result((await client.call(listOAuthClients, {})).items, lines),
)

/** The secret comes by standard input, never by argument: arguments are visible to every process of the machine. */
export const connectionClient = command(
  'client',
  'Store the client id that an authorization server gave out for this account, and its secret',
  {
    issuer: {
      type: 'positional',
      description: 'Address of the authorization server, as it names itself',
      required: true,
    },
    id: { type: 'positional', description: 'The client id', required: true },
    secret: { type: 'boolean', description: 'It has a secret: paste it on standard input', default: false },
  },
  async ({ client, args, output, world }) => {
    if (args.secret) output.note('Paste the secret of the client, then press Enter:')
    const clientSecret = args.secret ? (await world.readInput()).trim() : undefined
    const body = { issuer: args.issuer, clientId: args.id, ...(clientSecret ? { clientSecret } : {}) }
    output.result(await client.call(putOAuthClient, { body }), (stored) => lines([stored]))
  },
)
