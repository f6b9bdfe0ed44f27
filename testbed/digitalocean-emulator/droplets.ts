import * as z from 'zod'
import { notFound, unprocessable } from './api-error.ts'
import { IMAGES, REGIONS, SIZES } from './catalogue.ts'
import { type EmulatedDroplet, type EmulatedSnapshot, isBusy, present, type World } from './world.ts'

const TAG = z.string().regex(/^[\w:-]{1,255}$/, 'is no tag')

/** Every field that the official description names; others are refused, which the real one would not do. */
const NewDroplet = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/)
    .max(255),
  region: z.string().optional(),
  size: z.string(),
  image: z.union([z.string(), z.int()]),
  ssh_keys: z.array(z.union([z.string(), z.int()])).optional(),
  backups: z.boolean().optional(),
  ipv6: z.boolean().optional(),
  monitoring: z.boolean().optional(),
  tags: z.array(TAG).optional(),
  user_data: z.string().max(65_536).optional(),
  vpc_uuid: z.string().optional(),
  public_networking: z.boolean().optional(),
  with_droplet_agent: z.boolean().optional(),
})

/** @throws {ApiError} */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw unprocessable(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
}

/** By slug or number; a snapshot is an image, too. */
export function findImage(world: World, image: string | number) {
  const base = IMAGES.find(({ slug, id }) => slug === image || String(id) === String(image))
  if (base) return base
  const snapshot = world.snapshots.get(String(image))
  return snapshot && snapshotAsImage(snapshot)
}

const snapshotAsImage = ({ id, name, region, disk, createdAt }: EmulatedSnapshot) => ({
  id: Number(id),
  slug: null,
  distribution: 'Debian',
  name,
  public: false,
  regions: [region] as readonly string[],
  created_at: isoOf(createdAt),
  type: 'snapshot',
  min_disk_size: disk,
  size_gigabytes: sizeOf(disk),
  description: '',
  tags: [],
  status: 'available',
})

/** What a copy of a disk weighs, in GB. */
export const sizeOf = (disk: number): number => disk / 10

/** The first address of its network. */
export const gatewayOf = (address: string): string => address.replace(/^(\d+\.\d+)\..*/, '$1.0.1')

/** As DigitalOcean writes it. */
export const isoOf = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z/, 'Z')

export function createDroplet(world: World, body: unknown): EmulatedDroplet {
  const { name, region = 'nyc3', size, image, tags = [], user_data = '' } = parse(NewDroplet, body)
  const found = findImage(world, image)
  if (!SIZES.some(({ slug }) => slug === size))
    throw unprocessable('You specified an invalid size for Droplet creation.')
  if (!found?.regions.includes(region)) throw unprocessable('You specified an invalid image for Droplet creation.')
  if (found.min_disk_size > SIZES.find(({ slug }) => slug === size)!.disk)
    throw unprocessable('This size is too small for the image.')
  if (!REGIONS.some(({ slug }) => slug === region))
    throw unprocessable('You specified an invalid region for Droplet creation.')
  if (present(world).length >= world.knobs.dropletLimit)
    throw unprocessable('creating this/these droplet(s) will exceed your droplet limit')
  for (const tag of tags) world.tags.add(tag)

  const now = world.now()
  const id = world.nextDropletId
  world.nextDropletId += 1
  const vanishes = world.knobs.vanishing > 0
  if (vanishes) world.knobs.vanishing -= 1
  const droplet: EmulatedDroplet = {
    id,
    name,
    region,
    size,
    image: found.slug ?? String(found.id),
    tags,
    userData: user_data,
    address: world.machines.addressOf({ id }),
    createdAt: now,
    activeAt: Number.POSITIVE_INFINITY,
    off: false,
    vanishesAt: vanishes ? now + 1 : Number.POSITIVE_INFINITY,
  }
  world.droplets.set(id, droplet)
  if (!vanishes) boot(world, droplet)
  return droplet
}

function boot(world: World, droplet: EmulatedDroplet): void {
  const earliest = world.now() + world.knobs.bootMs
  if (world.machines.instant) {
    droplet.activeAt = earliest
    return
  }
  world.machines.start(droplet).then(
    async () => {
      droplet.activeAt = Math.max(world.now(), earliest)
      if (!world.droplets.has(droplet.id)) await world.machines.remove(droplet) // destroyed meanwhile
    },
    (error: unknown) => console.error(`droplet ${droplet.id} does not start:`, error),
  )
}

export function dropletOf(world: World, id: string): EmulatedDroplet {
  const found = present(world).find((droplet) => String(droplet.id) === id)
  if (!found) throw notFound()
  return found
}

export async function destroyDroplet(world: World, droplet: EmulatedDroplet): Promise<void> {
  if (world.knobs.deletesIgnored > 0) {
    world.knobs.deletesIgnored -= 1
    return
  }
  world.droplets.delete(droplet.id)
  for (const [ip, leadsTo] of world.reservedIps) if (leadsTo === droplet.id) world.reservedIps.set(ip, undefined)
  await world.machines.remove(droplet)
}

/** As lists show them: a new one may be missing at first. */
export const listed = (world: World): EmulatedDroplet[] =>
  present(world).filter(({ createdAt }) => createdAt + world.knobs.listLagMs <= world.now())

const statusOf = ({ off, activeAt }: EmulatedDroplet, now: number): 'new' | 'active' | 'off' =>
  off ? 'off' : activeAt <= now ? 'active' : 'new'

/** The droplet as the API shows it. */
export function viewOf(world: World, droplet: EmulatedDroplet) {
  const now = world.now()
  const size = SIZES.find(({ slug }) => slug === droplet.size)!
  const networked = droplet.activeAt + world.knobs.addressDelayMs <= now
  return {
    id: droplet.id,
    name: droplet.name,
    memory: size.memory,
    vcpus: size.vcpus,
    disk: size.disk,
    locked: droplet.activeAt > now || isBusy(world, droplet.id),
    status: statusOf(droplet, now),
    kernel: null,
    created_at: isoOf(droplet.createdAt),
    features: ['droplet_agent', 'private_networking'],
    backup_ids: [],
    next_backup_window: null,
    snapshot_ids: [...world.snapshots.values()]
      .filter(({ dropletId }) => dropletId === droplet.id)
      .map(({ id }) => Number(id)),
    volume_ids: [],
    image: findImage(world, droplet.image),
    size,
    size_slug: size.slug,
    networks: {
      v4: networked
        ? [{ ip_address: droplet.address, netmask: '255.255.0.0', gateway: gatewayOf(droplet.address), type: 'public' }]
        : [],
      v6: [],
    },
    region: REGIONS.find(({ slug }) => slug === droplet.region),
    tags: droplet.tags,
    vpc_uuid: '5a4981aa-9653-4bd1-bef5-d6bff52042e4',
  }
}
