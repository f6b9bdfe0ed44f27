import type { Machine, MachineFinder } from '../provider.ts'
import { ProviderError } from '../provider.ts'
import { addressOf, type Droplet } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'
import { environmentTag, toolboxTag } from './droplet-names.ts'

export interface DropletFinderDeps {
  /** `client` is absent without a token. */
  readonly knownOf: (toolboxId: string) => Promise<KnownDroplet>
  readonly environment: string
}

interface KnownDroplet {
  readonly client?: DigitalOcean | undefined
  /** Absent: none was taken as this toolbox's. */
  readonly dropletId?: number | undefined
}

/** What DigitalOcean says about the machine of a toolbox, for whoever asks what is wrong with it. */
export function createDropletFinder({ knownOf, environment }: DropletFinderDeps): MachineFinder {
  /** The known one, else the oldest with the tag: tags may be taken away, and lists may lag. */
  async function dropletOf(
    toolboxId: string,
    client: DigitalOcean,
    dropletId: number | undefined,
    signal: AbortSignal,
  ): Promise<Droplet | undefined> {
    const known = dropletId === undefined ? undefined : await client.droplet(dropletId, signal)
    if (known) return known
    const found = await client.dropletsByTag(toolboxTag(toolboxId), signal)
    return found.filter(({ tags }) => tags.includes(environmentTag(environment))).sort((a, b) => a.id - b.id)[0]
  }

  return {
    absentRemedy:
      'Somebody destroyed the droplet at DigitalOcean, with all that was on it. “Create again” under Provisioning makes a new droplet and deploys its tools there; it is offered once the toolbox is marked as lost, at most ten minutes after that. Or remove the toolbox.',
    async find(toolboxId, signal) {
      const { client, dropletId } = await knownOf(toolboxId)
      if (!client) throw new ProviderError('The account has no token of DigitalOcean')
      try {
        const droplet = await dropletOf(toolboxId, client, dropletId, signal)
        return droplet ? machineOf(droplet) : dropletId === undefined ? 'unmade' : undefined
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
