import {
  type Client,
  type DropletAction,
  IDLE_RESERVED_IP_USD_PER_MONTH,
  listDropletActions,
  listProviderOptions,
  type NewDropletAction,
  problem,
  SNAPSHOT_USD_PER_GB_MONTH,
  startDropletAction,
  type Toolbox,
} from '@agentopia/api'
import type { ArgsDef, ParsedArgs } from 'citty'
import { command } from '../../command.ts'
import { findToolbox } from '../../find.ts'
import { follow, type Patience } from '../../follow.ts'
import { table } from '../../output.ts'

const COMMON = {
  toolbox: { type: 'positional', description: 'Name or id', required: true },
  wait: { type: 'boolean', description: 'Wait until it has ended', default: false },
  timeout: { type: 'string', description: 'Seconds to wait', default: '1800' },
} as const satisfies ArgsDef

/** A command that asks for something to be done with a droplet. @param say What it costs, before it is asked for. */
const dropletCommand = <const Args extends ArgsDef>(
  name: string,
  description: string,
  args: Args,
  request: (args: ParsedArgs<Args & typeof COMMON>) => NewDropletAction,
  say: (client: Client, toolbox: Toolbox, request: NewDropletAction) => Promise<string> = async () => '',
) =>
  command(name, description, { ...COMMON, ...args }, async ({ client, args: given, output, signal }) => {
    const typed = given as unknown as ParsedArgs<Args & typeof COMMON> & ParsedArgs<typeof COMMON>
    const toolbox = await findToolbox(client, typed.toolbox)
    const body = request(typed)
    const cost = await say(client, toolbox, body)
    if (cost) output.note(cost)
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const asked = await client.call(startDropletAction, { params: { toolboxId: toolbox.id }, body }, { headers })
    const action = typed.wait
      ? await untilEnded(client, asked, { seconds: Number(typed.timeout), signal, output })
      : asked
    output.result(action, ({ title, state }) => `${toolbox.name}: ${title} is ${state}`)
  })

/** Follows an action to its end, telling each step. @throws {ProblemError} when it failed, or time is up. */
const untilEnded = (
  client: Client,
  { id, toolboxId, title }: DropletAction,
  patience: Patience,
): Promise<DropletAction> =>
  follow(
    {
      async read(signal) {
        const params = { params: { toolboxId }, query: { limit: 20 } }
        const { items } = await client.call(listDropletActions, params, { signal })
        const now = items.find((action) => action.id === id)
        if (!now) throw problem('no-droplet', 'The toolbox is gone')
        return now
      },
      tell: ({ message }) => message || undefined,
      isOver({ state, message }) {
        if (state === 'failed') throw problem('provider-refused', message ?? `${title} failed`)
        return state === 'done'
      },
      late: ({ state }) => `${title} is ${state} after ${patience.seconds} s`,
      everyMs: 1_000,
    },
    patience,
  )

const plain = (name: string, description: string, kind: 'reboot' | 'power_cycle' | 'power_off' | 'power_on') =>
  dropletCommand(name, description, {}, () => ({ kind }))

export const toolboxReboot = plain('reboot', 'Reboot a droplet, in order', 'reboot')
export const toolboxPowerCycle = plain('power-cycle', 'Switch a droplet off and on, as by its plug', 'power_cycle')
export const toolboxPowerOff = plain('power-off', 'Power a droplet off; it costs as much as before', 'power_off')
export const toolboxPowerOn = plain('power-on', 'Power a droplet on', 'power_on')

export const toolboxResize = dropletCommand(
  'resize',
  'Give a droplet another size; its disk stays, and it is off meanwhile',
  { size: { type: 'string', description: 'E.g. s-2vcpu-4gb; see `agentopia provider options`', required: true } },
  ({ size }) => ({ kind: 'resize', size: String(size) }),
  async (client, { placement }, request) => {
    const { sizes } = await client.call(listProviderOptions, {})
    const price = request.kind === 'resize' && sizes.find(({ slug }) => slug === request.size)?.monthlyUsd
    return price ? `${price} USD a month instead of ${placement?.monthlyUsd ?? '?'}` : ''
  },
)

export const toolboxRebuild = dropletCommand(
  'rebuild',
  'Give a droplet a fresh disk; all that was on it is gone, its tools are deployed again',
  {
    confirm: { type: 'string', description: 'Name of the toolbox once more', required: true },
    image: { type: 'string', description: 'Absent: the image it was made from' },
  },
  ({ confirm, image }) => ({ kind: 'rebuild', confirm: String(confirm), ...(image ? { image: String(image) } : {}) }),
)

export const toolboxSnapshot = dropletCommand(
  'snapshot',
  'Copy the disk of a droplet; other toolboxes can be made from it',
  { name: { type: 'string', description: 'Of the snapshot', required: true } },
  ({ name }) => ({ kind: 'snapshot', name: String(name) }),
  async (_, { system }) => {
    const gigabytes = system && system.diskUsedBytes / 1_000_000_000
    const about = gigabytes && `, here about ${(gigabytes * SNAPSHOT_USD_PER_GB_MONTH).toFixed(2)} USD a month`
    return `A snapshot costs ${SNAPSHOT_USD_PER_GB_MONTH} USD a GB and month${about ?? ''}`
  },
)

export const toolboxReserveAddress = dropletCommand(
  'reserve-address',
  'Give a droplet an address that stays when it is another',
  {},
  () => ({ kind: 'assign_reserved_ip' }),
  async () => `Free while it leads to a droplet, else ${IDLE_RESERVED_IP_USD_PER_MONTH} USD a month`,
)

export const toolboxReleaseAddress = dropletCommand(
  'release-address',
  'Give the reserved address of a droplet back',
  {},
  () => ({ kind: 'release_reserved_ip' }),
)

export const toolboxActions = command(
  'actions',
  'List what was asked of a droplet, newest first',
  { toolbox: COMMON.toolbox },
  async ({ client, args, output }) => {
    const { id: toolboxId } = await findToolbox(client, args.toolbox)
    const { items } = await client.call(listDropletActions, { params: { toolboxId }, query: {} })
    output.result(items, (actions) =>
      table(
        ['asked', 'what', 'state', 'by', 'said'],
        actions.map(({ askedAt, title, state, actor, message }) => [askedAt, title, state, actor, message]),
      ),
    )
  },
)
