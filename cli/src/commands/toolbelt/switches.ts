import { type ToolbeltItem, updateToolbeltItem } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findToolbeltItem } from '../../find.ts'
import { facts } from '../../output.ts'
import { AGENT } from '../agent/name.ts'
import { TOOL } from './tool.ts'
import { warn } from './warn.ts'

const SWITCHES = { item: 'enabled', prompts: 'prompts', resources: 'resources', 'plain-names': 'plainNames' } as const

const onOrOff = (description: string) => ({ type: 'enum' as const, options: ['on', 'off'], description })

export const toolbeltSet = command(
  'set',
  'Switch an item, its prompts, its resources or plain names on or off; without options: how they stand',
  {
    ...AGENT,
    ...TOOL,
    item: onOrOff('The whole item'),
    prompts: onOrOff('All prompts of the server'),
    resources: onOrOff('All resources of the server'),
    'plain-names': onOrOff("The server's own names, without the tool's name before them; one item of an agent at most"),
  },
  async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const item = await findToolbeltItem(client, agent, args.tool)
    const body = switchesOf(args)
    if (Object.keys(body).length === 0) return output.result(item, describe)
    const params = { agentId: agent.id, toolbeltItemId: item.id }
    const changed = await client.call(updateToolbeltItem, { params, body })
    warn(output, changed.warnings)
    output.result(changed, describe)
  },
)

/** What was said, and nothing of what was not: the server leaves that as it is. */
const switchesOf = (args: Readonly<Record<string, unknown>>): Record<string, boolean> =>
  Object.fromEntries(
    Object.entries(SWITCHES)
      .filter(([option]) => args[option] !== undefined)
      .map(([option, field]) => [field, args[option] === 'on']),
  )

const describe = (item: ToolbeltItem): string =>
  facts([
    ['tool', item.instanceName],
    ...Object.entries(SWITCHES).map(
      ([option, field]) => [option.replace('-', ' '), item[field] ? 'on' : 'off'] as const,
    ),
  ])
