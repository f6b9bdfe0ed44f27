import { type DropletOptions, type Placement, problem, type Snapshot } from '@agentopia/api'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'

/** Images on which the installation is tested: the install script wants systemd and apt. */
const DISTRIBUTIONS: readonly string[] = ['Debian', 'Ubuntu']
/** Less memory than this is too little for Docker and a tool. */
const LEAST_MEMORY_MB = 512
const REMEMBERED_MS = 3_600_000
const DEADLINE_MS = 30_000

export interface Options {
  /** @throws {ProblemError} `provider-not-configured`, `provider-refused`, `provider-unavailable`. */
  of(accountId: string): Promise<DropletOptions>
  /** What such a droplet costs. @throws {ProblemError} as above, also for what cannot be had. */
  placementOf(accountId: string, wanted: Omit<Placement, 'monthlyUsd'>): Promise<Placement>
  /** USD a month of such a droplet with another size, whose disk is no smaller. @throws {ProblemError} as above. */
  resizeOf(accountId: string, from: Placement | null, size: string): Promise<number>
  /** USD a month; `undefined` when it is not offered. @throws {ProblemError} as above. */
  priceOf(accountId: string, size: string): Promise<number | undefined>
}

interface OptionsDeps {
  readonly clientOf: (accountId: string) => Promise<DigitalOcean | undefined>
  readonly steady: () => number
  /** Snapshots of the account: images, too. */
  readonly snapshotsOf: (accountId: string) => Promise<readonly Snapshot[]>
}

/** What droplets can be had, remembered for an hour. */
export function createOptions({ clientOf, steady, snapshotsOf }: OptionsDeps): Options {
  const known = new Map<string, { readonly options: DropletOptions; readonly until: number }>()

  async function of(accountId: string): Promise<DropletOptions> {
    const remembered = known.get(accountId)
    const client = await clientOf(accountId)
    if (!client) throw problem('provider-not-configured', 'The account has no token of DigitalOcean')
    if (remembered && remembered.until > steady()) return remembered.options
    const options = await read(client).catch((error: unknown) => {
      throw problemOf(error)
    })
    known.set(accountId, { options, until: steady() + REMEMBERED_MS })
    return options
  }

  async function regionsOfSnapshot(accountId: string, id: string, diskGb: number): Promise<string[] | undefined> {
    const found = (await snapshotsOf(accountId)).find((snapshot) => snapshot.id === id)
    if (found && found.minDiskGb > diskGb)
      throw problem('provider-refused', `The snapshot ${found.name} needs a disk of ${found.minDiskGb} GB`)
    return found?.regions
  }

  return {
    of,
    async placementOf(accountId, { region, size, image }) {
      const { regions, sizes, images } = await of(accountId)
      const found = sizes.find(({ slug }) => slug === size)
      if (!regions.some(({ slug }) => slug === region)) throw refused(`no region ${region}`)
      if (!found?.regions.includes(region)) throw refused(`no size ${size} in the region ${region}`)
      const regionsOfImage = /^\d+$/.test(image)
        ? await regionsOfSnapshot(accountId, image, found.diskGb)
        : images.find(({ slug }) => slug === image)?.regions
      if (!regionsOfImage?.includes(region)) throw refused(`no image ${image} in the region ${region}`)
      return { region, size, image, monthlyUsd: found.monthlyUsd }
    },
    async resizeOf(accountId, from, size) {
      const { sizes } = await of(accountId)
      const found = sizes.find(({ slug }) => slug === size)
      const before = sizes.find(({ slug }) => slug === from?.size)
      if (!found || (from && !found.regions.includes(from.region)))
        throw refused(`no size ${size}${from ? ` in the region ${from.region}` : ''}`)
      if (before && found.diskGb < before.diskGb)
        throw problem(
          'provider-refused',
          `The disk of ${size} has ${found.diskGb} GB, that of the droplet ${before.diskGb}`,
        )
      if (from?.size === size) throw problem('provider-refused', `It is ${size} already`)
      return found.monthlyUsd
    },
    async priceOf(accountId, size) {
      const { sizes } = await of(accountId)
      return sizes.find(({ slug }) => slug === size)?.monthlyUsd
    },
  }
}

async function read(client: DigitalOcean): Promise<DropletOptions> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const [regions, sizes, images] = await Promise.all([
    client.regions(signal),
    client.sizes(signal),
    client.images(signal),
  ])
  return {
    regions: regions.filter(({ available }) => available).map(({ slug, name }) => ({ slug, name })),
    sizes: sizes
      .filter(({ available, memory }) => available && memory >= LEAST_MEMORY_MB)
      .map(({ slug, memory, vcpus, disk, price_monthly, regions: where }) => ({
        slug,
        memoryMb: memory,
        vcpus,
        diskGb: disk,
        monthlyUsd: price_monthly,
        regions: where,
      }))
      .sort((a, b) => a.monthlyUsd - b.monthlyUsd),
    images: images
      .filter(({ distribution, status }) => DISTRIBUTIONS.includes(distribution) && status === 'available')
      .flatMap(({ slug, name, distribution, regions: where }) =>
        slug === null ? [] : [{ slug, name: `${distribution} ${name}`, regions: where }],
      ),
  }
}

const refused = (what: string) => problem('provider-refused', `DigitalOcean has ${what}`)

/** A failed call, as an answer of ours. */
export function problemOf(error: unknown): unknown {
  if (!(error instanceof DigitalOceanError)) return error
  const code = error.kind === 'unknown' || error.kind === 'limited' ? 'provider-unavailable' : 'provider-refused'
  return problem(code, error.message, { cause: error })
}
