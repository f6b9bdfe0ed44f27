import { changeToolboxRoad, getToolbox, problem, ROAD_NAMES, Road, type Toolbox } from '@agentopia/api'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { follow, waitArgs } from '../../follow.ts'

export const toolboxRoad = command(
  'road',
  'Change who dials: `tunnel`, it dials the control plane; `direct`, the control plane dials it. Tools run on',
  {
    toolbox: { type: 'positional', description: 'Name or id', required: true },
    to: { type: 'enum', options: Road.options, description: 'The road that it is to have', required: true },
    address: { type: 'string', description: 'With --to direct, of a server: its IP address or name' },
    port: {
      type: 'string',
      description: "With --to direct, of a server: the port that leads to DTMA; absent: DTMA's own",
    },
    ...waitArgs('it is over', 180),
  },
  async ({ client, args, output, signal }) => {
    const params = { toolboxId: (await findToolbox(client, args.toolbox)).id }
    const asked = await client.call(changeToolboxRoad, { params, body: wantedOf(args) })
    const following = {
      read: () => client.call(getToolbox, { params }, { signal }),
      tell: ({ roadChange }: Toolbox) => roadChange && TELLS[roadChange.phase],
      isOver: ({ roadChange }: Toolbox) => roadChange?.phase === 'done' || roadChange?.phase === 'failed',
      late: ({ name }: Toolbox) => `The road to ${name} is being changed still; the one before is open`,
      lateAs: 'road-change-failed',
      everyMs: 500,
    } as const
    const now = args.wait ? await follow(following, { seconds: Number(args.timeout), signal, output }) : asked
    output.result(now, ({ name, roadChange }) =>
      roadChange?.phase === 'done' ? `${name} is reached by the ${ROAD_NAMES[args.to]}` : inShort(now),
    )
    const { name, roadChange } = now
    if (roadChange?.phase !== 'failed') return
    for (const line of roadChange.evidence ?? []) output.note(`  ${line}`)
    if (roadChange.nextStep) output.note(roadChange.nextStep)
    throw problem('road-change-failed', `${name}: ${roadChange.message} (${roadChange.reason})`)
  },
)

interface RoadArgs {
  readonly to: Road
  readonly address?: string | undefined
  readonly port?: string | undefined
}

function wantedOf({ to, address, port }: RoadArgs) {
  if (to === 'tunnel') return { road: to } as const
  return { road: to, ...(address ? { address } : {}), ...(port ? { port: Number(port) } : {}) } as const
}

const inShort = ({ name, roadChange }: Toolbox): string =>
  roadChange?.phase === 'failed' ? `${name} keeps its road` : `Asked for another road to ${name}`

const TELLS = {
  asked: 'It is opened',
  trying: 'Both roads are open; the new one is tried',
  closing: 'The new one is in use; the one before ends its calls',
  undoing: 'The new one did not come up; it is closed again',
  done: 'The one before is closed',
  failed: 'The road is the one that it was',
} as const
