import { executeCapability, problem } from '@agentopia/api'
import { command } from '../../command.ts'
import { findAgent, findCapability } from '../../find.ts'
import { AGENT } from './name.ts'

export const agentCall = command(
  'call',
  'Call one capability as an agent, under its permissions',
  {
    ...AGENT,
    capability: {
      type: 'positional',
      description: 'Its name in `toolbelt list`, or <tool>__<capability>',
      required: true,
    },
    args: {
      type: 'string',
      description: 'Arguments, as a JSON object; `-` reads them from standard input',
      default: '{}',
    },
    key: { type: 'string', description: 'Idempotency key: with the same one the call is made once in 24 hours' },
  },
  async ({ client, args, output, world }) => {
    const agent = await findAgent(client, args.agent)
    const { item, capability } = await findCapability(client, agent, args.capability)
    const body = {
      capability,
      arguments: parseObject(args.args === '-' ? await world.readInput() : args.args),
    }
    output.result(
      await client.call(
        executeCapability,
        { params: { agentId: agent.id, toolbeltItemId: item.id }, body },
        args.key ? { headers: { 'idempotency-key': args.key } } : {},
      ),
      ({ result }) => JSON.stringify(result, null, 2),
    )
  },
)

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // said below, together with valid JSON that is no object
  }
  throw problem('invalid-request', 'The arguments are no JSON object')
}
