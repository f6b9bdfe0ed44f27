import { FlowLabel, type LabelledCapability, listFlowLabels, problem, putFlowLabels } from '@agentopia/api'
import { command } from '../../command.ts'
import { findInstance } from '../../find.ts'
import { table } from '../../output.ts'
import { warn } from '../toolbelt/warn.ts'
import { PLACE } from './place.ts'

export const toolFlow = command(
  'flow',
  'What a deployed tool means for the flow of data; with --labels, say it yourself',
  {
    ...PLACE,
    capability: { type: 'string', description: 'Of one capability; absent: of the whole tool' },
    labels: { type: 'string', description: 'private,untrusted,outward (those that hold), `none`, or `default`' },
  },
  async ({ client, args, output }) => {
    const { toolboxId, id: instanceId } = await findInstance(client, args.tool)
    const params = { toolboxId, instanceId }
    if (args.labels === undefined) return output.result((await client.call(listFlowLabels, { params })).items, lines)
    const body = { ...(args.capability ? { capability: args.capability } : {}), labels: labelsIn(args.labels) }
    const { items, warnings } = await client.call(putFlowLabels, { params, body })
    output.result(items, lines)
    warn(
      output,
      warnings.map(({ agentName, message, ...warning }) => ({ ...warning, message: `${agentName}: ${message}` })),
    )
  },
)

function labelsIn(text: string): FlowLabel[] | null {
  if (text === 'default') return null
  if (text === 'none') return []
  return text.split(',').map((word) => {
    const label = FlowLabel.options.find((one) => one === word.trim())
    if (!label) throw problem('invalid-request', `${word} is none of ${FlowLabel.options.join(', ')}`)
    return label
  })
}

const lines = (items: readonly LabelledCapability[]): string =>
  table(
    ['capability', 'private', 'untrusted', 'outward'],
    items.map(({ capability = '(the whole tool)', labels }) => [
      capability,
      ...FlowLabel.options.map((label) => {
        const found = labels.find((one) => one.label === label)
        return found ? `yes (${found.source})` : ''
      }),
    ]),
  )
