import type { ToolboxStatus } from '@agentopia/api'
import { and, eq, notInArray } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import type { Clock } from '../../reconcile/clock.ts'
import { again, type Outcome, type Reconciler, settled } from '../../reconcile/reconciler.ts'
import type { Tx } from '../../store/connect.ts'
import { dropletSightings } from '../../store/schema/index.ts'
import { learnTeam } from './accounts.ts'
import type { Droplet } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'
import { findOwners } from './droplet.store.ts'
import { watchDroplets } from './droplet.watch.ts'
import { environmentTag, PRODUCT_TAG, toolboxIdOf } from './droplet-names.ts'
import { type FirewallWatchDeps, watchFirewalls } from './firewall.watch.ts'

export interface DropletSweepDeps extends FirewallWatchDeps {
  readonly clock: Clock
  readonly clientOf: (accountId: string) => Promise<DigitalOcean | undefined>
  readonly accountsWithToken: () => Promise<string[]>
  /** Is the database one that was restored? Then it does not know every toolbox there is: what is seen is told, and stays for good. */
  readonly isRecovering: () => boolean
}

export const SWEEP_EVERY_MS = 300_000
/** From the first sight of a droplet that is nobody's until it is destroyed. */
export const QUARANTINE_MS = 600_000
const GOES = `is destroyed in ${QUARANTINE_MS / 60_000} minutes`
const STAYS = 'costs money and stays, as the database was restored; destroy it at DigitalOcean if nobody needs it'
/** In one sweep: whatever is wrong with us destroys no more than this. */
const MOST_DESTROYED = 3

interface Owner {
  readonly id: string
  readonly status: ToolboxStatus
  readonly doDropletId: number | null
}

/** Droplets of this environment that no toolbox accounts for, with the reason. */
function strayDroplets(
  droplets: readonly Pick<Droplet, 'id' | 'tags'>[],
  owners: readonly Owner[],
): { readonly id: number; readonly reason: string }[] {
  return droplets.flatMap(({ id, tags }) => {
    const toolboxId = toolboxIdOf(tags)
    const owner = owners.find((one) => one.id === toolboxId)
    if (!owner) return [{ id, reason: 'no toolbox is known for it' }]
    if (owner.status === 'deprovisioned') return [{ id, reason: `its toolbox ${owner.id} is deprovisioned` }]
    if (owner.doDropletId !== null && owner.doDropletId !== id)
      return [{ id, reason: `its toolbox ${owner.id} has the droplet ${owner.doDropletId}` }]
    return []
  })
}

/** Looks for droplets of ours that nobody accounts for: noted at first, destroyed when they are still there later; and at what the others need. Keys are accounts. */
export function dropletSweep(deps: DropletSweepDeps): Reconciler {
  const { store, clock, clientOf, accountsWithToken, environment, isRecovering } = deps

  async function sweep(accountId: string, client: DigitalOcean, signal: AbortSignal): Promise<void> {
    const tagged = await client.dropletsByTag(environmentTag(environment), signal)
    // Twice: what carries one of our tags by chance is not ours.
    const droplets = tagged.filter(
      ({ tags }) => tags.includes(PRODUCT_TAG) && tags.includes(environmentTag(environment)),
    )
    const ids = droplets.flatMap(({ tags }) => toolboxIdOf(tags) ?? [])
    const strays = strayDroplets(droplets, await store.system((tx) => findOwners(tx, accountId, ids)))
    await watchDroplets(store, { accountId, client, now: new Date(clock.now()) }, droplets, signal)
    const due = await store.system((tx) => note(tx, accountId, strays))
    if (isRecovering()) return
    try {
      for (const { id, reason } of due.slice(0, MOST_DESTROYED)) {
        await client.destroyDroplet(id, signal)
        await store.system((tx) => tell(tx, accountId, `Destroyed the droplet ${id}: ${reason}`))
      }
    } finally {
      const needed = droplets.filter(({ id }) => !strays.some((stray) => stray.id === id))
      await watchFirewalls(deps, { accountId, client }, needed, signal)
    }
  }

  /** @returns those that were noted long enough ago. */
  async function note(tx: Tx, accountId: string, strays: readonly { readonly id: number; readonly reason: string }[]) {
    const now = clock.now()
    const held = isRecovering()
    const here = eq(dropletSightings.accountId, accountId)
    const ids = strays.map(({ id }) => id)
    await tx
      .delete(dropletSightings)
      .where(ids.length === 0 ? here : and(here, notInArray(dropletSightings.dropletId, ids)))
    for (const { id, reason } of strays) {
      const [fresh] = await tx
        .insert(dropletSightings)
        .values({ accountId, dropletId: id, reason, firstSeenAt: new Date(now), held })
        .onConflictDoNothing()
        .returning()
      if (fresh) await tell(tx, accountId, `The droplet ${id} ${held ? STAYS : GOES}: ${reason}`)
    }
    // What was about to be destroyed when the copy was made is looked at anew, too.
    if (held) await tx.update(dropletSightings).set({ held }).where(here)
    const seen = await tx.select().from(dropletSightings).where(here)
    const old = new Set(
      seen
        .filter((one) => !one.held && now - one.firstSeenAt.getTime() >= QUARANTINE_MS)
        .map(({ dropletId }) => dropletId),
    )
    return strays.filter(({ id }) => old.has(id))
  }

  return {
    name: 'droplet sweep',
    list: accountsWithToken,
    async reconcile(accountId, signal): Promise<Outcome> {
      const client = await clientOf(accountId)
      if (!client) return settled
      try {
        await sweep(accountId, client, signal)
        await learnTeam(store, { accountId, client }, signal)
        return settled
      } catch (error) {
        if (error instanceof DigitalOceanError && error.kind === 'limited') return again(error.retryAfterMs)
        throw error
      }
    },
  }
}

const tell = (tx: Tx, accountId: string, message: string) =>
  recordActivity(tx, { accountId, actor: 'control plane', action: 'droplet.stray', subject: accountId, message })
