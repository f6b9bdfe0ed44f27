import {
  type Client,
  getToolbox,
  ProblemError,
  problem,
  startRollout,
  type Toolbox,
  updateToolbox,
} from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { follow, type Patience, waitArgs } from '../../follow.ts'
import type { Output } from '../../output.ts'
import { linesOf, untilSettled } from './rollout.ts'

export const toolboxUpdate = command(
  'update',
  'Replace DTMA of a toolbox, or of all, by the newest version; tools run on meanwhile',
  {
    toolbox: { type: 'positional', description: 'Name or id', required: false },
    all: {
      type: 'boolean',
      description: 'Every toolbox that has an older version: one first, then a tenth, then the rest',
      default: false,
    },
    ...waitArgs('it is over', 600),
  },
  async ({ client, args, output, signal }) => {
    if (args.all === (args.toolbox !== undefined)) throw problem('invalid-request', 'Name one toolbox, or say --all')
    const patience = { seconds: Number(args.timeout), signal, output }
    if (args.all) return updateAll(client, output, args.wait, patience)
    const { id: toolboxId } = await findToolbox(client, args.toolbox!)
    await seeThrough(client, await client.call(updateToolbox, { params: { toolboxId } }), output, args.wait && patience)
  },
)

/** In waves, as the control plane sees fit. */
async function updateAll(client: Client, output: Output, wait: boolean, patience: Patience): Promise<void> {
  const begun = await client.call(startRollout, {}).catch((error: unknown) => {
    if (error instanceof ProblemError && error.code === 'nothing-to-update') return undefined
    throw error
  })
  if (!begun) return output.result({ items: [] }, () => 'Every toolbox has the newest version')
  const now = wait ? await untilSettled(client, begun.id, patience) : begun
  output.result(now, () => linesOf(now))
  if (now.state === 'halted')
    throw problem(
      'update-failed',
      `The rollout was halted: ${now.reason}. Go on or give up by \`agentopia toolbox rollout\``,
    )
}

const FAILED: readonly string[] = ['refused', 'unanswered', 'failed', 'fell_back']

/** Says how an update of one toolbox goes: to its end, or as it was asked for. @throws {ProblemError} `update-failed`; when time is up. */
export async function seeThrough(
  client: Client,
  asked: Toolbox,
  output: Output,
  patience: Patience | false,
): Promise<void> {
  const following = {
    read: (signal: AbortSignal) => client.call(getToolbox, { params: { toolboxId: asked.id } }, { signal }),
    tell: lineOf,
    isOver: ({ update }: Toolbox) => ['done', ...FAILED].includes(update?.phase ?? 'done'),
    late: ({ name, update }: Toolbox) => `The update of ${name} is ${update?.phase} still`,
    everyMs: 1_000,
  }
  const now = patience ? await follow(following, patience) : asked
  output.result(now, lineOf)
  if (FAILED.includes(now.update?.phase ?? '')) throw problem('update-failed', `${now.name}: ${now.update?.message}`)
}

const lineOf = ({ name, update, dtmaVersion }: Toolbox): string =>
  update
    ? [
        `${name}: DTMA ${versionsOf(update.from ?? dtmaVersion, update.version)} ${update.phase.replaceAll('_', ' ')}`,
        update.phase === 'loading' && update.percent !== undefined ? `${update.percent} %` : '',
        update.message ?? '',
      ]
        .filter(Boolean)
        .join('  ')
    : `${name}: DTMA ${dtmaVersion ?? 'not heard yet'}`

const versionsOf = (from: string | undefined, to: string): string => (from === to ? `${to} anew:` : `${from} → ${to}`)
