import { readFile } from 'node:fs/promises'
import { type Client, createGroup, getGroup, problem, type ToolGroup } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { follow, type Patience, waitArgs } from '../../follow.ts'
import { groupFrom, groupLine, type NewGroup } from './describe.ts'

export const groupCreate = command(
  'create',
  'Deploy several tools in the order of their needs: all of them, or none',
  {
    group: { type: 'positional', description: 'Name of the group', required: true },
    tools: { type: 'string', description: 'Its tools, as name=entry,name=entry' },
    after: { type: 'string', description: 'What is ready before what, as name=other,name=other+other' },
    file: { type: 'string', description: 'JSON file with `members` instead: toolId, name, config, dependsOn' },
    toolbox: { type: 'string', description: 'Toolbox to deploy on', default: 'local' },
    ...waitArgs('all are ready', 900),
  },
  async ({ client, args, output, signal }) => {
    const { id: toolboxId } = await findToolbox(client, args.toolbox)
    const body =
      args.file === undefined
        ? groupFrom(args.group, args.tools, args.after)
        : { ...(await readGroup(args.file)), name: args.group }
    const asked = await client.call(createGroup, { params: { toolboxId }, body })
    const patience = { seconds: Number(args.timeout), signal, output }
    output.result(args.wait ? await untilReady(client, asked, patience) : asked, groupLine)
  },
)

/** @throws {ProblemError} `tool-failed` when it is undone; `call-timeout`. */
const untilReady = (client: Client, { id: groupId, toolboxId }: ToolGroup, patience: Patience): Promise<ToolGroup> =>
  follow(
    {
      read: (signal) => client.call(getGroup, { params: { toolboxId, groupId } }, { signal }),
      tell: groupLine,
      isOver(now) {
        if (now.state === 'failed') throw problem('tool-failed', groupLine(now))
        return now.state === 'ready'
      },
      late: ({ name, state }) => `${name} is ${state} after ${patience.seconds} s`,
      everyMs: 500,
    },
    patience,
  )

/** As the file says; the control plane tells what is wrong with it. */
async function readGroup(path: string): Promise<NewGroup> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw problem('invalid-group', `${path} is no JSON file`, { cause })
  }
}
