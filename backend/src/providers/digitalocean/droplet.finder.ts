import type { Machine, ToolboxProvider } from '../provider.ts'
import { ProviderError } from '../provider.ts'
import { addressOf, type Droplet } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'
import { environmentTag, toolboxTag } from './droplet-names.ts'

export interface DropletFinderDeps {
  readonly clientOfToolbox: (toolboxId: string) => Promise<DigitalOcean | undefined>
  readonly environment: string
}

/** What DigitalOcean says about the machine of a toolbox, for whoever asks what is wrong with it. */
export function createDropletFinder({
  clientOfToolbox,
  environment,
}: DropletFinderDeps): Pick<ToolboxProvider, 'find' | 'absentRemedy'> {
  return {
    absentRemedy:
      'Somebody destroyed the droplet at DigitalOcean, with all that was on it. “Create again” under Provisioning makes a new droplet and deploys its tools there; it is offered once the toolbox is marked as lost, at most ten minutes after that. Or remove the toolbox.',
    async find(toolboxId, signal) {
      const client = await clientOfToolbox(toolboxId)
      if (!client) throw new ProviderError('The account has no token of DigitalOcean')
      try {
        const found = await client.dropletsByTag(toolboxTag(toolboxId), signal)
        const [droplet] = found.filter(({ tags }) => tags.includes(environmentTag(environment)))
        return droplet && machineOf(droplet)
      } catch (error) {
        if (error instanceof DigitalOceanError) throw new ProviderError(error.message, { cause: error })
        throw error
      }
    },
  }
}

function machineOf(droplet: Droplet): Machine {
  const { id, status } = droplet
  const at = addressOf(droplet)
  const common = { ref: String(id), current: true, ...(at ? { address: at } : {}) }
  if (status === 'active') {
    return {
      ...common,
      state: 'running',
      description: `DigitalOcean says: the droplet ${id} is active${at ? `, at ${at}` : ''}`,
      ...(at ? { address: at } : {}),
      silence: RUNS,
    }
  }
  if (status === 'new')
    return { ...common, state: 'creating', description: `DigitalOcean says: the droplet ${id} is being made` }
  return {
    ...common,
    state: 'stopped',
    description: `DigitalOcean says: the droplet ${id} is powered off`,
    silence: { broken: OFF, silent: OFF },
  }
}

const RUNS = {
  broken: {
    summary: 'The droplet runs, but DTMA on it has ended',
    remedy:
      'After a crash DTMA starts again by itself within a minute. If it does not, reboot the droplet under Provisioning: Droplet, Reboot; DTMA starts with it.',
  },
  silent: {
    summary: 'The droplet runs, but nothing comes through from it: its network is cut, or it hangs',
    remedy:
      'Look at the network and the firewalls of the droplet at DigitalOcean: it must be able to dial out. If nothing is wrong there, reboot it under Provisioning: Droplet, Reboot.',
  },
} as const

const OFF = {
  summary: 'Its droplet is powered off',
  remedy:
    'Power it on under Provisioning: Droplet, Power on. If it is not needed any more, remove the toolbox: off, it costs as much as on.',
} as const
