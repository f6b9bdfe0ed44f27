import { problem, SNAPSHOT_USD_PER_GB_MONTH, type Snapshot } from '@agentopia/api'
import { inArray } from 'drizzle-orm'
import type { Store } from '../../store/connect.ts'
import { toolboxes } from '../../store/schema/index.ts'
import type { Snapshot as Listed } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'
import { readSnapshotName } from './droplet-names.ts'
import { problemOf } from './options.ts'

export interface Snapshots {
  /** Those of droplets of this account that this control plane made, newest first. @throws {ProblemError} `provider-…`. */
  of(accountId: string): Promise<Snapshot[]>
  /** Succeeds when it is gone. @throws {ProblemError} `snapshot-not-ours`, `provider-…`. */
  remove(accountId: string, snapshot: Snapshot): Promise<void>
}

interface SnapshotsDeps {
  readonly store: Store
  readonly clientOf: (accountId: string) => Promise<DigitalOcean | undefined>
  readonly environment: string
}

const DEADLINE_MS = 30_000

/** Copies of disks. Whose they are is in their names, and nobody else's are shown or deleted. */
export function createSnapshots({ store, clientOf, environment }: SnapshotsDeps): Snapshots {
  async function withClient<T>(accountId: string, ask: (client: DigitalOcean, signal: AbortSignal) => Promise<T>) {
    const client = await clientOf(accountId)
    if (!client) throw problem('provider-not-configured', 'The account has no token of DigitalOcean')
    try {
      return await ask(client, AbortSignal.timeout(DEADLINE_MS))
    } catch (error) {
      throw problemOf(error)
    }
  }

  return {
    async of(accountId) {
      const all = await withClient(accountId, (client, signal) => client.snapshots(signal))
      const ours = all.flatMap((listed) => {
        const read = readSnapshotName(environment, listed.name)
        return read ? [{ listed, ...read }] : []
      })
      const ids = ours.map(({ toolboxId }) => toolboxId)
      const rows = await store.tenant(accountId, (tx) =>
        tx.select({ id: toolboxes.id, name: toolboxes.name }).from(toolboxes).where(inArray(toolboxes.id, ids)),
      )
      const names = new Map(rows.map(({ id, name }) => [id, name]))
      return ours
        .flatMap(({ listed, toolboxId, name }) => {
          const toolboxName = names.get(toolboxId)
          return toolboxName === undefined ? [] : [viewOf(listed, { toolboxId, toolboxName, name })]
        })
        .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    },

    remove: (accountId, { id }) =>
      withClient(accountId, async (client, signal) => {
        try {
          await client.deleteSnapshot(id, signal)
        } catch (error) {
          // The answer was lost: what came of it is looked up.
          if (!(error instanceof DigitalOceanError) || error.kind !== 'unknown') throw error
          if ((await client.snapshots(signal)).some((snapshot) => snapshot.id === id)) throw error
        }
      }),
  }
}

const viewOf = (
  { id, size_gigabytes, min_disk_size, regions, created_at }: Listed,
  whose: Pick<Snapshot, 'toolboxId' | 'toolboxName' | 'name'>,
): Snapshot => ({
  id,
  ...whose,
  sizeGb: size_gigabytes,
  minDiskGb: min_disk_size,
  monthlyUsd: Math.round(size_gigabytes * SNAPSHOT_USD_PER_GB_MONTH * 100) / 100,
  regions,
  createdAt: new Date(created_at).toISOString(),
})
