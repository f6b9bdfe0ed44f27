import { type Client, type Connection, endConnection, getCredential, problem, startConnection } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findToolbeltItem } from '../../find.ts'
import { follow } from '../../follow.ts'
import { facts } from '../../output.ts'
import { AGENT } from '../agent/name.ts'
import { TOOL } from '../toolbelt/tool.ts'

interface Place {
  readonly agentId: string
  readonly toolbeltItemId: string
}

async function placeOf(client: Client, names: { readonly agent: string; readonly tool: string }) {
  const agent = await findAgent(client, names.agent)
  const item = await findToolbeltItem(client, agent, names.tool)
  return { agent, item, params: { agentId: agent.id, toolbeltItemId: item.id } satisfies Place }
}

const describe = (connection: Connection): string =>
  facts([
    ['connection', connection.state.replaceAll('_', ' ')],
    ['at', connection.issuer],
    ['scopes', connection.scopes.join(' ')],
    ['by', connection.connectedBy],
    ['since', connection.connectedAt],
    ['access token until', connection.expiresAt],
    ['why', connection.reason],
  ])

async function connectionOf(client: Client, params: Place, signal: AbortSignal): Promise<Connection> {
  const { connection } = await client.call(getCredential, { params }, { signal })
  if (!connection) throw problem('invalid-credential', 'This tool is not connected by consent; store its secrets')
  return connection
}

export const connectionOpen = command(
  'open',
  'Connect a tool of an agent to the service behind it: open the address in a browser in which you are signed in here',
  { ...AGENT, ...TOOL, wait: { type: 'boolean', description: 'Wait until it is connected', default: true } },
  async ({ client, args, output, signal }) => {
    const { agent, item, params } = await placeOf(client, args)
    const before = await connectionOf(client, params, signal)
    const { authorizationUrl, expiresAt } = await client.call(startConnection, { params })
    if (!args.wait) return output.result({ authorizationUrl, expiresAt }, () => authorizationUrl)
    output.note(`Open this address, and consent there:\n\n  ${authorizationUrl}\n\nWaiting until ${expiresAt} …`)
    const now = await follow(
      {
        read: (deadline) => connectionOf(client, params, deadline),
        isOver: ({ state, connectedAt }) => state === 'connected' && connectedAt !== before.connectedAt,
        late: () => 'Nobody consented in time; begin again',
        everyMs: 1_000,
      },
      { seconds: Math.max(0, Date.parse(expiresAt) - Date.now()) / 1_000, signal, output },
    )
    output.result(now, () => `${item.instanceName} of ${agent.name} is connected\n${describe(now)}`)
  },
)

export const connectionShow = command(
  'show',
  'Whether a tool of an agent is connected, and until when',
  { ...AGENT, ...TOOL },
  async ({ client, args, output, signal }) => {
    const { params } = await placeOf(client, args)
    output.result(await connectionOf(client, params, signal), describe)
  },
)

export const connectionEnd = command(
  'end',
  'End a connection: its tokens are forgotten, and taken back at the service',
  { ...AGENT, ...TOOL },
  async ({ client, args, output }) => {
    const { agent, item, params } = await placeOf(client, args)
    await client.call(endConnection, { params })
    output.result({ ended: item.id }, () => `${item.instanceName} of ${agent.name} is not connected any more`)
  },
)
