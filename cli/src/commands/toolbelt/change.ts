import {
  addToolbeltItem,
  grantToolboxAccess,
  problem,
  removeToolbeltItem,
  type ToolbeltItem,
  updateToolbeltItem,
} from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findInstance, findToolbeltItem } from '../../find.ts'
import { printable } from '../../output.ts'
import { AGENT } from '../agent/name.ts'
import { TOOL } from './tool.ts'
import { warn } from './warn.ts'

export const CAPABILITIES = {
  capabilities: {
    type: 'positional',
    description: 'Capabilities, separated by commas; * stands for any letters',
    required: true,
  },
} as const

const allowedOf = (item: ToolbeltItem): string[] =>
  item.permissions.filter((one) => one.allowed).map((one) => one.capability)
export const askedOf = (item: ToolbeltItem): string[] =>
  item.permissions.filter((one) => one.ask).map((one) => one.capability)
export const say = (item: ToolbeltItem): string =>
  `${item.instanceName}: ${allowedOf(item).length} of ${item.permissions.length} capabilities allowed`
export const words = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)

export const toolbeltAdd = command(
  'add',
  'Put a deployed tool into the toolbelt of an agent (and let it use that toolbox)',
  {
    ...AGENT,
    ...TOOL,
    allow: {
      type: 'string',
      description: 'Capabilities to allow, separated by commas; the others stay denied',
      default: '',
    },
  },
  async ({ client, args, output }) => {
    const [agent, instance] = [await findAgent(client, args.agent), await findInstance(client, args.tool)]
    await client.call(grantToolboxAccess, { params: { agentId: agent.id, toolboxId: instance.toolboxId } })
    const added = await client.call(addToolbeltItem, {
      params: { agentId: agent.id },
      body: { instanceId: instance.id, allow: words(args.allow) },
    })
    warn(output, added.warnings)
    output.result(added, say)
  },
)

/**
 * Every word has to name a capability, or to be a pattern (`read_*`) that fits some; as long as none were discovered, a name is
 * taken on trust.
 * @throws {ProblemError} `invalid-request` for a word that fits none.
 */
export function namedIn({ instanceName, permissions }: ToolbeltItem, wanted: readonly string[]): string[] {
  const known = permissions.map(({ capability }) => capability)
  return wanted.flatMap((word) => {
    const isPattern = word.includes('*')
    if (known.length === 0 && !isPattern) return [word]
    const found = known.filter((name) => (isPattern ? fits(word, name) : name === word))
    if (found.length > 0) return found
    const there = known.length === 0 ? 'none were discovered so far' : `there are ${known.map(printable).join(', ')}`
    throw problem('invalid-request', `No capability of ${instanceName} is called ${printable(word)}: ${there}`)
  })
}

function fits(pattern: string, name: string): boolean {
  const escaped = pattern.split('*').map((piece) => piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`, 's').test(name)
}

type Next = (item: ToolbeltItem, named: string[]) => { readonly allow: string[]; readonly ask?: string[] }

const permission = (verb: string, description: string, next: Next) =>
  command(verb, description, { ...AGENT, ...TOOL, ...CAPABILITIES }, async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const item = await findToolbeltItem(client, agent, args.tool)
    const changed = await client.call(updateToolbeltItem, {
      params: { agentId: agent.id, toolbeltItemId: item.id },
      body: next(item, namedIn(item, words(args.capabilities))),
    })
    warn(output, changed.warnings)
    output.result(changed, say)
  })

export const toolbeltAllow = permission('allow', 'Allow capabilities, without asking', (item, named) => ({
  allow: [...new Set([...allowedOf(item), ...named])],
  ask: askedOf(item).filter((one) => !named.includes(one)),
}))
export const toolbeltDeny = permission('deny', 'Deny capabilities of a toolbelt item', (item, named) => ({
  allow: allowedOf(item).filter((one) => !named.includes(one)),
}))

export const toolbeltRemove = command(
  'remove',
  'Take a tool out of the toolbelt of an agent',
  { ...AGENT, ...TOOL },
  async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const item = await findToolbeltItem(client, agent, args.tool)
    await client.call(removeToolbeltItem, { params: { agentId: agent.id, toolbeltItemId: item.id } })
    output.result({ removed: item.id }, () => `${item.instanceName} is out of the toolbelt of ${agent.name}`)
  },
)
