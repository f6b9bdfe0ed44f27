import * as z from 'zod'

// What we read of DigitalOcean's answers (API v2). Unknown fields are dropped.

export const Droplet = z.object({
  id: z.int(),
  name: z.string(),
  status: z.enum(['new', 'active', 'off', 'archive']),
  created_at: z.string(),
  size_slug: z.string(),
  tags: z.array(z.string()),
  networks: z.object({ v4: z.array(z.object({ ip_address: z.string(), type: z.enum(['public', 'private']) })) }),
})
export type Droplet = z.infer<typeof Droplet>

export const Size = z.object({
  slug: z.string(),
  memory: z.int(),
  vcpus: z.int(),
  disk: z.int(),
  price_monthly: z.number(),
  available: z.boolean(),
  regions: z.array(z.string()),
})

export const Region = z.object({ slug: z.string(), name: z.string(), available: z.boolean() })

export const Image = z.object({
  slug: z.string().nullable(),
  name: z.string(),
  distribution: z.string(),
  regions: z.array(z.string()),
  status: z.string(),
})

export const Firewall = z.object({
  id: z.string(),
  name: z.string(),
  tags: z.array(z.string()).nullable(),
  inbound_rules: z
    .array(
      z.object({
        protocol: z.string(),
        ports: z.string().optional(),
        /** By kind: addresses, tags, droplet_ids, and others. */
        sources: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .default([]),
})
export type Firewall = z.infer<typeof Firewall>

/** Of the team whose token asks. */
export const Account = z.object({
  /** Of the person; where there are no teams, of the account. */
  uuid: z.string().optional(),
  team: z.object({ uuid: z.string().optional() }).nullish(),
})

/** What DigitalOcean does, or did, with a droplet. Later ones have greater numbers. */
export const Action = z.object({
  id: z.int(),
  status: z.enum(['in-progress', 'completed', 'errored']),
  type: z.string(),
})
export type Action = z.infer<typeof Action>

export type ActionBody =
  | { readonly type: 'reboot' | 'power_cycle' | 'shutdown' | 'power_off' | 'power_on' }
  /** `disk: false`: CPU and memory alone, so that it may become smaller again. */
  | { readonly type: 'resize'; readonly size: string; readonly disk: false }
  | { readonly type: 'rebuild'; readonly image: string | number }
  | { readonly type: 'snapshot'; readonly name: string }

export const Snapshot = z.object({
  id: z.string(),
  name: z.string(),
  created_at: z.string(),
  regions: z.array(z.string()),
  resource_id: z.string(),
  min_disk_size: z.number(),
  size_gigabytes: z.number(),
})
export type Snapshot = z.infer<typeof Snapshot>

export const ReservedIp = z.object({
  ip: z.ipv4(),
  /** Where it leads. */
  droplet: z.nullish(z.object({ id: z.optional(z.int()) })),
  locked: z.optional(z.boolean()),
})
export type ReservedIp = z.infer<typeof ReservedIp>

/** What we ask for; every field is explicit. */
export interface NewDroplet {
  readonly name: string
  readonly region: string
  readonly size: string
  /** Slug, or the number of a snapshot. */
  readonly image: string | number
  readonly user_data: string
  readonly tags: readonly string[]
  readonly monitoring: false
  readonly backups: false
  readonly ipv6: false
}

export interface NewFirewall {
  readonly name: string
  readonly tags: readonly string[]
  readonly inbound_rules: readonly {
    readonly protocol: 'tcp'
    readonly ports: string
    readonly sources: { readonly addresses: readonly string[] }
  }[]
  readonly outbound_rules: readonly {
    readonly protocol: 'tcp' | 'udp' | 'icmp'
    /** `0`: all. */
    readonly ports: string
    readonly destinations: { readonly addresses: readonly string[] }
  }[]
}

export const addressOf = ({ networks }: Pick<Droplet, 'networks'>): string | undefined =>
  networks.v4.find(({ type }) => type === 'public')?.ip_address

/** As DigitalOcean wants it: a snapshot is named by its number. */
export const imageOf = (slugOrId: string): string | number => (/^\d+$/.test(slugOrId) ? Number(slugOrId) : slugOrId)
