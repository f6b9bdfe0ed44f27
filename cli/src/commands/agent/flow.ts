import { type DataFlow, getAgentDataFlow } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent } from '../../find.ts'
import { facts, printable } from '../../output.ts'
import { AGENT } from './name.ts'

export const agentFlow = command(
  'flow',
  'By what an agent reads private data, sees what strangers wrote, and can send outwards',
  AGENT,
  async ({ client, args, output }) => {
    const { id: agentId } = await findAgent(client, args.agent)
    output.result(await client.call(getAgentDataFlow, { params: { agentId } }), describe)
  },
)

const describe = ({ private: reads, untrusted, outward, warnings }: DataFlow): string =>
  [
    facts([
      ['reads private data by', reads.join(', ') || 'nothing'],
      ['sees what strangers wrote by', untrusted.join(', ') || 'nothing'],
      ['can send outwards by', outward.join(', ') || 'nothing'],
    ]),
    ...warnings.map(({ message }) => `\nWarning: ${printable(message)}`),
  ].join('\n')
