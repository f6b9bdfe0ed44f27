import { ProblemError } from '@agentopia/api'
import { DTMA_PORT } from '@agentopia/dtma/contract'
import { recordActivity } from '../../events/activity.store.ts'
import type { Store } from '../../store/connect.ts'
import type { Droplet } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { directTag } from './droplet-names.ts'
import { type DirectOpening, findWrongFirewalls, mendFirewall } from './firewall.ts'

export interface FirewallWatchDeps {
  readonly store: Store
  readonly environment: string
  /** From where droplets of the direct road are dialled. @throws {ProblemError} When nobody has said it. */
  readonly directSources: () => readonly string[]
}

/**
 * Looks at the firewalls that the droplets need, with one list call, and mends what somebody changed at DigitalOcean itself: a machine that
 * is open to others is not what a person asked for here. Each that was mended is on record.
 * @throws {DigitalOceanError}
 */
export async function watchFirewalls(
  { store, environment, directSources }: FirewallWatchDeps,
  { accountId, client }: { readonly accountId: string; readonly client: DigitalOcean },
  droplets: readonly Pick<Droplet, 'tags'>[],
  signal: AbortSignal,
): Promise<void> {
  if (droplets.length === 0) return
  const isDialled = droplets.some(({ tags }) => tags.includes(directTag(environment)))
  const direct = isDialled ? openingTo(directSources) : undefined
  for (const wrong of await findWrongFirewalls(client, environment, direct, signal)) {
    await mendFirewall(client, wrong, signal)
    const message = `Mended the firewall ${wrong.wanted.name} at DigitalOcean: ${wrong.words}`
    const told = { accountId, actor: 'control plane', action: 'droplet.firewall-mended', subject: accountId, message }
    await store.system((tx) => recordActivity(tx, told))
  }
}

/** `undefined` while nobody has said from where the control plane dials: then nobody can say what is right. */
function openingTo(directSources: () => readonly string[]): DirectOpening | undefined {
  try {
    return { port: DTMA_PORT, sources: directSources() }
  } catch (error) {
    if (error instanceof ProblemError) return undefined
    throw error
  }
}
