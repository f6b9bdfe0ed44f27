import { getToolbox, problem, rotateToolboxKeys, type Toolbox } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { follow, waitArgs } from '../../follow.ts'

export const toolboxRotateKeys = command(
  'rotate-keys',
  'Give a toolbox other keys; the ones before open nothing any more, and tools run on',
  {
    toolbox: { type: 'positional', description: 'Name or id', required: true },
    ...waitArgs('it has them', 120),
  },
  async ({ client, args, output, signal }) => {
    const params = { toolboxId: (await findToolbox(client, args.toolbox)).id }
    const asked = await client.call(rotateToolboxKeys, { params })
    const following = {
      read: () => client.call(getToolbox, { params }, { signal }),
      isOver: ({ keyRotation }: Toolbox) => keyRotation?.phase !== 'asked',
      late: ({ name }: Toolbox) => `${name} has not enrolled anew yet; the keys there are hold`,
      lateAs: 'rotation-failed',
      everyMs: 500,
    } as const
    const now = args.wait ? await follow(following, { seconds: Number(args.timeout), signal, output }) : asked
    output.result(now, ({ name, keyRotation }) =>
      keyRotation?.phase === 'done' ? `${name} has other keys` : `Asked for other keys of ${name}`,
    )
    if (now.keyRotation?.phase === 'refused' || now.keyRotation?.phase === 'unanswered')
      throw problem('rotation-failed', `${now.name}: ${now.keyRotation.message}`)
  },
)
