import { notFound } from './api-error.ts'
import { isoOf, sizeOf } from './droplets.ts'
import type { EmulatedSnapshot, World } from './world.ts'

/** The snapshot as the API shows it. */
export const snapshotView = ({ id, name, dropletId, region, disk, createdAt }: EmulatedSnapshot) => ({
  id,
  name,
  created_at: isoOf(createdAt),
  regions: [region],
  resource_id: String(dropletId),
  resource_type: 'droplet',
  min_disk_size: disk,
  size_gigabytes: sizeOf(disk),
  tags: [],
})

export async function deleteSnapshot(world: World, id: string): Promise<void> {
  if (!world.snapshots.delete(id)) throw notFound()
  await world.machines.forgetSnapshot(id)
}
