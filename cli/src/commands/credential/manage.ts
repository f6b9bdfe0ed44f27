import { type Credential, getCredential, listToolbelt, problem, putCredential, revokeCredential } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findToolbeltItem } from '../../find.ts'
import { table } from '../../output.ts'
import { AGENT } from '../agent/name.ts'

const TOOL = {
  tool: { type: 'positional', description: 'Name or id of the tool in the toolbelt', required: true },
} as const

const lines = (items: readonly (Credential & { readonly tool: string })[]): string =>
  table(
    ['tool', 'state', 'secret', 'value', 'why'],
    items.flatMap(({ tool, state, reason, fields }) =>
      fields.map(({ key, required, set, hint }) => [
        tool,
        state,
        key,
        set ? hint : required ? 'missing' : 'not set',
        reason,
      ]),
    ),
  )

export const credentialList = command(
  'list',
  'Which secrets an agent has, and whether its tools start with them; never their values',
  AGENT,
  async ({ client, args, output }) => {
    const { id: agentId } = await findAgent(client, args.agent)
    const { items } = await client.call(listToolbelt, { params: { agentId } })
    const credentials = await Promise.all(
      items.map(async ({ id, instanceName }) => ({
        tool: instanceName,
        ...(await client.call(getCredential, { params: { agentId, toolbeltItemId: id } })),
      })),
    )
    output.result(credentials, lines)
  },
)

/** The secret comes by standard input, never by argument: arguments are visible to every process of the machine. */
export const credentialSet = command(
  'set',
  'Store or rotate a secret of an agent for a tool: paste it on standard input',
  {
    ...AGENT,
    ...TOOL,
    key: { type: 'string', description: 'Which secret, when the tool takes several' },
  },
  async ({ client, args, output, world }) => {
    const agent = await findAgent(client, args.agent)
    const item = await findToolbeltItem(client, agent, args.tool)
    const params = { agentId: agent.id, toolbeltItemId: item.id }
    const { fields } = await client.call(getCredential, { params })
    const field = args.key === undefined ? onlyOne(fields) : fields.find(({ key }) => key === args.key)
    if (!field)
      throw problem(
        'invalid-credential',
        fields.length === 0
          ? `${item.instanceName} takes no secrets`
          : `Say which with --key: ${fields.map(({ key }) => key).join(', ')}`,
      )
    output.note(`Paste ${field.title} of ${item.instanceName}, then press Enter:`)
    const value = (await world.readInput()).replace(/\r?\n$/, '')
    if (value === '') throw problem('invalid-credential', 'Nothing came on standard input')
    output.result(
      await client.call(putCredential, { params, body: { values: { [field.key]: value } } }),
      (credential) => `${item.instanceName} of ${agent.name}: version ${credential.version}, ${credential.state}`,
    )
  },
)

export const credentialRevoke = command(
  'revoke',
  'Forget the secrets of an agent for a tool, and stop what runs with them',
  { ...AGENT, ...TOOL },
  async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const item = await findToolbeltItem(client, agent, args.tool)
    await client.call(revokeCredential, { params: { agentId: agent.id, toolbeltItemId: item.id } })
    output.result({ revoked: item.id }, () => `${agent.name} has no secrets for ${item.instanceName} any more`)
  },
)

const onlyOne = <Item>(items: readonly Item[]): Item | undefined => (items.length === 1 ? items[0] : undefined)
