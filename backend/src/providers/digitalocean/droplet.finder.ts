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
}: DropletFinderDeps): Pick<ToolboxProvider, 'find'> {
  return {
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
      description: `the droplet ${id} is active${at ? ` at ${at}` : ''}`,
      remedy: 'Reboot the droplet at DigitalOcean',
    }
  }
  if (status === 'new') return { ...common, state: 'creating', description: `the droplet ${id} is being made` }
  return {
    ...common,
    state: 'stopped',
    description: `the droplet ${id} is powered off; it costs as much as a running one`,
    remedy: 'Power it on at DigitalOcean, or remove the toolbox',
  }
}
