import { disconnectClient, listConnectedClients } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { table } from '../../output.ts'
import { AGENT } from './name.ts'

export const agentClients = command(
  'clients',
  'List the clients that act as an agent',
  AGENT,
  async ({ client, args, output }) => {
    const { id: agentId } = await findAgent(client, args.agent)
    output.result(await client.call(listConnectedClients, { params: { agentId } }), ({ items }) =>
      table(
        ['name', 'answered at', 'last used', 'connected', 'id'],
        items.map((one) => [one.name, one.redirectHost, one.lastUsedAt, one.createdAt, one.id]),
      ),
    )
  },
)

export const agentDisconnect = command(
  'disconnect',
  'Disconnect a client: its tokens are refused from then on',
  { ...AGENT, client: { type: 'positional', description: 'Id of the connected client', required: true } },
  async ({ client, args, output }) => {
    const { id: agentId, name } = await findAgent(client, args.agent)
    await client.call(disconnectClient, { params: { agentId, grantId: args.client } })
    output.result({ disconnected: args.client }, () => `${args.client} is disconnected from ${name}`)
  },
)
