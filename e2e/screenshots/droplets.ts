import {
  createToolbox,
  getToolbox,
  type Observation,
  refreshToolboxStatus,
  setProviderToken,
  type Toolbox,
} from '@agentopia/api'
import { docker, onMachine } from '@agentopia/testbed/machines'
import type { CloudAndProduct } from '../cloud.ts'
import { waitFor } from '../product.ts'

const PLACED = { provider: 'digitalocean', region: 'fra1', size: 's-1vcpu-1gb', image: 'docker-20-04' } as const
const ACTIVE_MS = 600_000
/** A toolbox is unresponsive after a minute of silence. */
const SILENT_MS = 150_000
/** Two sweeps, five minutes apart. */
const LOST_MS = 900_000

/** What people do to droplets, or what happens to them. */
export const FATES = ['destroyed', 'powered-off', 'moved', 'dtma-killed', 'network-cut'] as const
export type Fate = (typeof FATES)[number]

/** A droplet for each of these fates, active. */
export async function openDroplets(
  { cloud, product }: CloudAndProduct,
  fates: readonly Fate[],
): Promise<ReadonlyMap<Fate, Toolbox>> {
  const { client } = product
  await client.call(setProviderToken, { body: { token: cloud.emulator.world.token } })
  const toolboxes = new Map<Fate, Toolbox>()
  for (const name of fates) {
    // One after the other: a boot takes what processors there are.
    const { id } = await client.call(createToolbox, { body: { ...PLACED, name } })
    const active = await waitFor(`${name} did not become active`, ACTIVE_MS, async () => {
      const now = await client.call(getToolbox, { params: { toolboxId: id } })
      return now.status === 'active' && now.connected ? now : undefined
    })
    toolboxes.set(name, active)
  }
  return toolboxes
}

/** Lets it happen, and waits until the control plane has noticed. */
export async function meet(fate: Fate, { id, dropletId }: Toolbox, both: CloudAndProduct): Promise<void> {
  const { world } = both.cloud.emulator
  const machine = `agentopia-droplet-${dropletId}`
  const droplet = world.droplets.get(dropletId!)!
  const until = (seen: (toolbox: Toolbox, observation: Observation) => boolean) =>
    waitFor(`${fate} was not noticed`, SILENT_MS, async () => {
      const { toolbox, observation } = await both.product.client.call(refreshToolboxStatus, {
        params: { toolboxId: id },
      })
      await new Promise((resolve) => setTimeout(resolve, 2_000))
      return seen(toolbox, observation) ? true : undefined
    })
  const silent = () => until(({ status }) => status === 'unresponsive')
  switch (fate) {
    case 'destroyed':
      world.droplets.delete(droplet.id)
      await world.machines.remove(droplet)
      return void (await silent())
    case 'powered-off':
      await world.machines.power(droplet, 'off')
      droplet.off = true
      return void (await silent())
    case 'dtma-killed':
      await onMachine(machine, ['docker', 'kill', `agentopia-dtma-${id}`])
      return void (await silent())
    case 'network-cut':
      await docker(['network', 'disconnect', both.cloud.network, machine])
      return void (await silent())
    case 'moved': {
      const address = droplet.address.replace(/\d+$/, '250')
      await docker(['network', 'disconnect', both.cloud.network, machine])
      await docker(['network', 'connect', '--ip', address, both.cloud.network, machine])
      droplet.address = address
      // The tunnel before is thought open until its pings have no answer.
      return void (await until(({ publicIpAddress }, { code }) => publicIpAddress === address && code === 'reachable'))
    }
  }
}

/** The sweep has found twice that there is no such droplet. */
export const untilLost = ({ product }: CloudAndProduct, { id }: Toolbox): Promise<unknown> =>
  waitFor('it was not told as lost', LOST_MS, async () => {
    const { status } = await product.client.call(getToolbox, { params: { toolboxId: id } })
    return status === 'lost' ? true : undefined
  })
