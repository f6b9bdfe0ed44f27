import { setTimeout as sleep } from 'node:timers/promises'
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
import type { Output } from '../../output.ts'
import { linesOf, untilSettled } from './rollout.ts'

const POLL_MS = 1_000

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
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(Number(args.timeout) * 1_000)])
    if (args.all) return updateAll(client, output, args.wait, deadline)
    const { id: toolboxId } = await findToolbox(client, args.toolbox!)
    const asked = await client.call(updateToolbox, { params: { toolboxId } })
    const now = args.wait ? await untilOver(client, asked, output, deadline) : asked
    output.result(now, () => lineOf(now))
    if (FAILED.has(now.update?.phase ?? '')) throw problem('update-failed', `${now.name}: ${now.update?.message}`)
  },
)

export const FAILED: ReadonlySet<string> = new Set(['refused', 'failed', 'fell_back'])

/** In waves, as the control plane sees fit. */
async function updateAll(client: Client, output: Output, wait: boolean, deadline: AbortSignal): Promise<void> {
  const begun = await client.call(startRollout, {}).catch((error: unknown) => {
    if (error instanceof ProblemError && error.code === 'nothing-to-update') return undefined
    throw error
  })
  if (!begun) return output.result({ items: [] }, () => 'Every toolbox has the newest version')
  const now = wait ? await untilSettled(client, begun.id, output, deadline) : begun
  output.result(now, () => linesOf(now))
  if (now.state === 'halted')
    throw problem(
      'update-failed',
      `The rollout was halted: ${now.reason}. Go on or give up by \`agentopia toolbox rollout\``,
    )
}

/** Follows an update to its end, telling each phase. @throws {ProblemError} when time is up. */
export async function untilOver(
  client: Client,
  { id }: Toolbox,
  output: Output,
  deadline: AbortSignal,
): Promise<Toolbox> {
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

export const lineOf = ({ name, update, dtmaVersion }: Toolbox): string =>
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
