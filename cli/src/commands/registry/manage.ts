import { listRegistries, putRegistryCredential, removeRegistryCredential } from '@agentopia/api'
import { command } from '../../command.ts'
import { table } from '../../output.ts'

const REGISTRY = {
  registry: { type: 'positional', description: 'Host of the registry, such as registry.example', required: true },
} as const

export const registryList = command(
  'list',
  'List the registries that there are credentials for; never the passwords',
  {},
  async ({ client, output }) => {
    const { items } = await client.call(listRegistries, {})
    output.result(items, (all) =>
      table(
        ['registry', 'user', 'changed'],
        all.map(({ registry, username, changedAt }) => [registry, username, changedAt]),
      ),
    )
  },
)

/** The password comes by standard input, never by argument: arguments are visible to every process of the machine. */
export const registrySet = command(
  'set',
  'Store the credential for a registry of images: paste the password or token on standard input',
  { ...REGISTRY, username: { type: 'string', description: 'User, as the registry knows it', required: true } },
  async ({ client, args, output, world }) => {
    output.note(`Paste the password or token of ${args.username} for ${args.registry}, then press Enter:`)
    const password = (await world.readInput()).replace(/\r?\n$/, '')
    const body = { username: args.username, password }
    output.result(
      await client.call(putRegistryCredential, { params: { registry: args.registry }, body }),
      ({ registry, username }) => `${registry}: toolboxes pull as ${username}`,
    )
  },
)

export const registryRemove = command(
  'remove',
  'Forget the credential for a registry',
  REGISTRY,
  async ({ client, args, output }) => {
    await client.call(removeRegistryCredential, { params: { registry: args.registry } })
    output.result({ removed: args.registry }, () => `${args.registry}: toolboxes pull anonymously`)
  },
)
