import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, getToolbox, problem, type Toolbox, updateToolbox, updateToolboxes } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import type { Output } from '../../output.ts'

const POLL_MS = 1_000

export const toolboxUpdate = command(
  'update',
  'Replace DTMA of a toolbox, or of all, by the newest version; tools run on meanwhile',
  {
    toolbox: { type: 'positional', description: 'Name or id', required: false },
    all: { type: 'boolean', description: 'Every toolbox that has an older version', default: false },
    wait: {
      type: 'boolean',
      description: 'Wait until it is over',
      default: true,
      negativeDescription: 'Return as soon as it is recorded',
    },
    timeout: { type: 'string', description: 'Seconds to wait', default: '600' },
  },
  async ({ client, args, output, signal }) => {
    if (args.all === (args.toolbox !== undefined)) throw problem('invalid-request', 'Name one toolbox, or say --all')
    const asked = args.all
      ? (await client.call(updateToolboxes, {})).items
      : [await client.call(updateToolbox, { params: { toolboxId: (await findToolbox(client, args.toolbox!)).id } })]
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(Number(args.timeout) * 1_000)])
    const over = args.wait ? await Promise.all(asked.map((box) => untilOver(client, box, output, deadline))) : asked
    output.result(args.all ? { items: over } : over[0]!, () =>
      over.length === 0 ? 'Every toolbox has the newest version' : over.map(lineOf).join('\n'),
    )
    const failed = over.filter(({ update }) => ['refused', 'failed', 'fell_back'].includes(update?.phase ?? ''))
    if (failed.length > 0)
      throw problem('update-failed', failed.map(({ name, update }) => `${name}: ${update?.message}`).join('; '))
  },
)

/** Follows an update to its end, telling each phase. @throws {ProblemError} when time is up. */
async function untilOver(client: Client, { id }: Toolbox, output: Output, deadline: AbortSignal): Promise<Toolbox> {
  let told = ''
  for (;;) {
    const now = await client.call(getToolbox, { params: { toolboxId: id } }, { signal: deadline })
    const line = lineOf(now)
    if (line !== told) output.note(line)
    told = line
    if (['done', 'refused', 'failed', 'fell_back'].includes(now.update?.phase ?? 'done')) return now
    await sleep(POLL_MS, undefined, { signal: deadline }).catch((cause: unknown) => {
      throw problem('call-timeout', `The update of ${now.name} is ${now.update?.phase} still`, { cause })
    })
  }
}

const lineOf = ({ name, update, dtmaVersion }: Toolbox): string =>
  update
    ? [
        `${name}: DTMA ${update.from ?? dtmaVersion} → ${update.version} ${update.phase.replaceAll('_', ' ')}`,
        update.phase === 'loading' && update.percent !== undefined ? `${update.percent} %` : '',
        update.message ?? '',
      ]
        .filter(Boolean)
        .join('  ')
    : `${name}: DTMA ${dtmaVersion ?? 'not heard yet'}`
