import { setTimeout as sleep } from 'node:timers/promises'
import { getToolbox, problem, rotateToolboxKeys } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'

const POLL_MS = 500

export const toolboxRotateKeys = command(
  'rotate-keys',
  'Give a toolbox other keys; the ones before open nothing any more, and tools run on',
  {
    toolbox: { type: 'positional', description: 'Name or id', required: true },
    wait: {
      type: 'boolean',
      description: 'Wait until it has them',
      default: true,
      negativeDescription: 'Return as soon as it is recorded',
    },
    timeout: { type: 'string', description: 'Seconds to wait', default: '120' },
  },
  async ({ client, args, output, signal }) => {
    const params = { toolboxId: (await findToolbox(client, args.toolbox)).id }
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(Number(args.timeout) * 1_000)])
    let now = await client.call(rotateToolboxKeys, { params })
    while (args.wait && now.keyRotation?.phase === 'asked') {
      await sleep(POLL_MS, undefined, { signal: deadline }).catch((cause: unknown) => {
        throw problem('rotation-failed', `${now.name} has not enrolled anew yet; the keys there are hold`, { cause })
      })
      now = await client.call(getToolbox, { params }, { signal })
    }
    output.result(now, ({ name, keyRotation }) =>
      keyRotation?.phase === 'done' ? `${name} has other keys` : `Asked for other keys of ${name}`,
    )
    if (now.keyRotation?.phase === 'refused')
      throw problem('rotation-failed', `${now.name}: ${now.keyRotation.message}`)
  },
)
