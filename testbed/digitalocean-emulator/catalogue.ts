/** A small part of what DigitalOcean offers, in its own words. */
const REGION_NAMES = { nyc3: 'New York 3', ams3: 'Amsterdam 3', fra1: 'Frankfurt 1', sfo3: 'San Francisco 3' } as const
const REGION_SLUGS: readonly string[] = Object.keys(REGION_NAMES)

const SIZE_FACTS = [
  ['s-1vcpu-512mb-10gb', 512, 1, 10, 4],
  ['s-1vcpu-1gb', 1_024, 1, 25, 6],
  ['s-1vcpu-2gb', 2_048, 1, 50, 12],
  ['s-2vcpu-2gb', 2_048, 2, 60, 18],
  ['s-2vcpu-4gb', 4_096, 2, 80, 24],
] as const
/** Hours that a month is charged at most. */
const HOURS = 672

export const SIZES = SIZE_FACTS.map(([slug, memory, vcpus, disk, price]) => ({
  slug,
  memory,
  vcpus,
  disk,
  transfer: 1,
  price_monthly: price,
  price_hourly: Number((price / HOURS).toFixed(5)),
  regions: REGION_SLUGS,
  available: true,
  description: 'Basic',
}))

export const REGIONS = Object.entries(REGION_NAMES).map(([slug, name]) => ({
  slug,
  name,
  features: ['backups', 'ipv6', 'metadata', 'install_agent', 'storage', 'image_transfer'],
  available: true,
  sizes: SIZES.map((size) => size.slug),
}))

const image = (id: number, slug: string, distribution: string, name: string) => ({
  id,
  slug,
  distribution,
  name,
  public: true,
  regions: REGION_SLUGS,
  created_at: '2025-01-10T10:00:00Z',
  type: 'base',
  min_disk_size: 7,
  size_gigabytes: 0.6,
  description: `${distribution} ${name}`,
  tags: [],
  status: 'available',
})

/** No Ubuntu can be had here: whoever chooses one is told that the machine is a Debian. */
export const IMAGES = [
  image(101, 'debian-12-x64', 'Debian', '12 x64'),
  image(102, 'ubuntu-24-04-x64', 'Ubuntu', '24.04 (LTS) x64, played by Debian 12'),
  image(103, 'docker-20-04', 'Ubuntu', 'Docker on Ubuntu 22.04, played by Debian 12'),
]
