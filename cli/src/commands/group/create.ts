import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createGroup, getGroup, problem, type ToolGroup } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import type { Output } from '../../output.ts'
import { groupFrom, groupLine, type NewGroup } from './describe.ts'

const POLL_MS = 500

export const groupCreate = command(
  'create',
  'Deploy several tools in the order of their needs: all of them, or none',
  {
    group: { type: 'positional', description: 'Name of the group', required: true },
    tools: { type: 'string', description: 'Its tools, as name=entry,name=entry' },
    after: { type: 'string', description: 'What is ready before what, as name=other,name=other+other' },
    file: { type: 'string', description: 'JSON file with `members` instead: toolId, name, config, dependsOn' },
    toolbox: { type: 'string', description: 'Toolbox to deploy on', default: 'local' },
    wait: {
      type: 'boolean',
      description: 'Wait until all are ready',
      default: true,
      negativeDescription: 'Return as soon as it is recorded',
    },
    timeout: { type: 'string', description: 'Seconds to wait', default: '900' },
  },
  async ({ client, args, output, signal }) => {
    const { id: toolboxId } = await findToolbox(client, args.toolbox)
    const body =
      args.file === undefined
        ? groupFrom(args.group, args.tools, args.after)
        : { ...(await readGroup(args.file)), name: args.group }
    const asked = await client.call(createGroup, { params: { toolboxId }, body })
    const timeoutMs = Number(args.timeout) * 1_000
    output.result(args.wait ? await untilReady(client, asked, output, signal, timeoutMs) : asked, groupLine)
  },
)

/** @throws {ProblemError} `tool-failed` when it is undone; `call-timeout`. */
async function untilReady(
  client: Client,
  { id: groupId, toolboxId, name }: ToolGroup,
  output: Output,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<ToolGroup> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  let told = ''
  for (;;) {
    const now = await client.call(getGroup, { params: { toolboxId, groupId } }, { signal: deadline })
    const line = groupLine(now)
    if (line !== told) output.note(line)
    told = line
    if (now.state === 'ready') return now
    if (now.state === 'failed') throw problem('tool-failed', line)
    await sleep(POLL_MS, undefined, { signal: deadline }).catch((cause: unknown) => {
      throw problem('call-timeout', `${name} is ${now.state} after ${timeoutMs / 1000} s`, { cause })
    })
  }
}

/** As the file says; the control plane tells what is wrong with it. */
async function readGroup(path: string): Promise<NewGroup> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw problem('invalid-group', `${path} is no JSON file`, { cause })
  }
}
