import {
  approveCapabilities,
  type DefinitionChange,
  definitionDiff,
  gravest,
  listToolbelt,
  problem,
  type ToolbeltItem,
} from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findToolbeltItem } from '../../find.ts'
import { printable } from '../../output.ts'
import { AGENT } from '../agent/name.ts'
import { TOOL } from './tool.ts'
import { warn } from './warn.ts'

/** So many characters of a digest name a definition: what is approved is what was shown. */
const SHOWN_DIGEST = 12

/** A capability that is blocked because it is described otherwise than when it was allowed. */
interface Changed {
  readonly tool: string
  readonly capability: string
  readonly gatewayName: string
  readonly digest: string
  readonly changes: readonly DefinitionChange[]
}

export const toolbeltReview = command(
  'review',
  'What of an agent is blocked because its server describes it otherwise than when it was allowed',
  { ...AGENT, tool: { ...TOOL.tool, required: false } },
  async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const items = args.tool
      ? [await findToolbeltItem(client, agent, args.tool)]
      : (await client.call(listToolbelt, { params: { agentId: agent.id } })).items
    output.result(items.flatMap(changedOf), (all) =>
      all.length === 0
        ? `Nothing that ${agent.name} may use has changed`
        : all.map((one) => `${described(one)}\n\n  ${approvalOf(agent.name, one)}`).join('\n\n'),
    )
  },
)

export const toolbeltApprove = command(
  'approve',
  'Allow changed capabilities as they are described now',
  {
    ...AGENT,
    ...TOOL,
    capabilities: {
      type: 'positional',
      description: '<capability>@<digest>, as `toolbelt review` shows them, separated by commas',
      required: true,
    },
  },
  async ({ client, args, output }) => {
    const agent = await findAgent(client, args.agent)
    const item = await findToolbeltItem(client, agent, args.tool)
    const approve = args.capabilities.split(',').map((word) => looked(item, word.trim()))
    const params = { agentId: agent.id, toolbeltItemId: item.id }
    const approved = await client.call(approveCapabilities, { params, body: { approve } })
    warn(output, approved.warnings)
    output.result(approved, (after) => `Approved for ${agent.name}. ${leftOf(after)}`)
  },
)

const changedOf = (item: ToolbeltItem): Changed[] =>
  item.permissions.flatMap(({ capability, gatewayName, changed }) =>
    changed
      ? [
          {
            tool: item.instanceName,
            capability,
            gatewayName,
            digest: changed.to.digest,
            changes: definitionDiff(changed.from, changed.to),
          },
        ]
      : [],
  )

/** @throws {ProblemError} When the word does not name what is offered now: then somebody looked at something else. */
function looked(item: ToolbeltItem, word: string): { capability: string; digest: string } {
  const at = word.lastIndexOf('@')
  const [name, digest] = [word.slice(0, Math.max(at, 0)), word.slice(at + 1)]
  if (name === '' || !/^[0-9a-f]{8,64}$/.test(digest))
    throw problem('invalid-request', 'Name what was looked at as <capability>@<digest>: `agentopia toolbelt review`')
  const found = changedOf(item).find(({ capability }) => capability === name)
  if (!found) throw problem('invalid-request', `${name} has not changed, or is not allowed`)
  if (!found.digest.startsWith(digest))
    throw problem('capability-changed', `${name} is not what was looked at: review it again`)
  return { capability: name, digest: found.digest }
}

const leftOf = (item: ToolbeltItem): string => {
  const left = changedOf(item).length
  return left === 0
    ? `Nothing else of ${item.instanceName} has changed`
    : `${left} of ${item.instanceName} still blocked`
}

const approvalOf = (agent: string, { tool, capability, digest }: Changed): string =>
  printable(`approve: agentopia toolbelt approve ${agent} ${tool} ${capability}@${digest.slice(0, SHOWN_DIGEST)}`)

function described({ gatewayName, changes }: Changed): string {
  const grave = gravest(changes)
  const title = printable(gatewayName) + (grave === 'danger' ? '  DANGER' : '')
  if (changes.length === 0) return `${title}\n  Nothing that an agent is told differs`
  return [title, ...changes.flatMap(linesOf)].join('\n')
}

const linesOf = ({ severity, place, meaning, before, after }: DefinitionChange): string[] => [
  `  ${severity.padEnd(7)}  ${printable(place)}: ${meaning}`,
  ...(before === undefined ? [] : [`           - ${printable(before)}`]),
  ...(after === undefined ? [] : [`           + ${printable(after)}`]),
]
