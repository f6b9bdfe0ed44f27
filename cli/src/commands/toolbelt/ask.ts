import { updateToolbeltItem } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findToolbeltItem } from '../../find.ts'
import { AGENT } from '../agent/name.ts'
import { askedOf, CAPABILITIES, namedIn, say, words } from './change.ts'
import { TOOL } from './tool.ts'

export const toolbeltAsk = command(
  'ask',
  'Allow capabilities when a person says so, each time; without names: who is asked for what',
  {
    ...AGENT,
    ...TOOL,
    capabilities: { ...CAPABILITIES.capabilities, required: false },
    like: {
      type: 'string',
      description:
        'Names with *, separated by commas: of what is allowed, ask for these, too; `none` for no such names',
    },
  },
  async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const item = await findToolbeltItem(client, agent, args.tool)
    const named = namedIn(item, words(args.capabilities ?? ''))
    const body = {
      ...(named.length > 0 ? { ask: [...new Set([...askedOf(item), ...named])] } : {}),
      ...(args.like === undefined ? {} : { askPatterns: args.like === 'none' ? [] : words(args.like) }),
    }
    const params = { agentId: agent.id, toolbeltItemId: item.id }
    const after = Object.keys(body).length === 0 ? item : await client.call(updateToolbeltItem, { params, body })
    output.result(after, () =>
      [
        say(after),
        `asked for: ${askedOf(after).join(', ') || 'nothing'}`,
        ...(after.askPatterns.length > 0 ? [`and names like: ${after.askPatterns.join(', ')}`] : []),
      ].join('\n'),
    )
  },
)
