import type { Machines } from './machines.ts'

/** One droplet, with the moments at which it changes; what it is follows from the time. Milliseconds since the epoch. */
export interface EmulatedDroplet {
  readonly id: number
  readonly name: string
  readonly region: string
  size: string
  /** A slug, or the number of a snapshot. */
  image: string
  tags: readonly string[]
  readonly userData: string
  address: string
  readonly createdAt: number
  /** Infinity until its machine runs. */
  activeAt: number
  off: boolean
  /** When placement fails after all: from then on it was never there. */
  readonly vanishesAt: number
}

/** Something that is done, or was, with a droplet. */
export interface EmulatedAction {
  readonly id: number
  readonly dropletId: number
  readonly type: string
  readonly startedAt: number
  /** Infinity while it is under way. */
  completedAt: number
  errored: boolean
  /** What it does, once its time has come; absent: done. */
  effect?: (() => void) | undefined
}

export interface EmulatedSnapshot {
  readonly id: string
  readonly name: string
  readonly dropletId: number
  readonly region: string
  /** GB. */
  readonly disk: number
  readonly createdAt: number
}

/** One way in which the next matching calls go wrong. */
export interface Fault {
  readonly method: string
  /** Matches the path, without the query. */
  readonly path: RegExp
  times: number
  /** An HTTP status; `drop` cuts the connection, `hang` never answers. */
  readonly answer: number | 'drop' | 'hang'
  /** The call is carried out; only its answer goes wrong. */
  readonly afterEffect?: boolean
  readonly retryAfterSeconds?: number
  /** Instead of DigitalOcean's words. */
  readonly message?: string
}

/** Behaviours seen at the real one, to be turned by tests. */
export interface Knobs {
  /** From the request to `active`; without real machines. */
  bootMs: number
  /** `active` comes before the address. */
  addressDelayMs: number
  /** A new droplet is missing in lists for so long. */
  listLagMs: number
  /** From the request to `completed`; without real machines. */
  actionMs: number
  /** So many actions end in `errored`, and change nothing. */
  failingActions: number
  /** So many creates are answered 202, and then there is no droplet. */
  vanishing: number
  /** So many deletes are answered 204, and the droplet lives on. */
  deletesIgnored: number
  dropletLimit: number
  perMinute: number
  perHour: number
  /** Rights of the token. */
  scopes: ReadonlySet<string> | 'all'
  faults: Fault[]
}

/** Whose all of it is. */
export interface Team {
  readonly uuid: string
  readonly name: string
}

export interface World {
  readonly token: string
  readonly team: Team
  readonly now: () => number
  readonly machines: Machines
  readonly knobs: Knobs
  readonly droplets: Map<number, EmulatedDroplet>
  readonly tags: Set<string>
  readonly firewalls: Map<string, EmulatedFirewall>
  readonly actions: EmulatedAction[]
  readonly snapshots: Map<string, EmulatedSnapshot>
  /** By address; the number of the droplet it leads to. */
  readonly reservedIps: Map<string, number | undefined>
  /** Every call that came in: `POST /v2/droplets`. */
  readonly calls: string[]
  /** When each came in. */
  readonly callTimes: number[]
  /** What the machines were told last of their firewalls. */
  guarded: string
  nextDropletId: number
  nextId: number
}

export interface EmulatedFirewall {
  readonly id: string
  readonly name: string
  readonly tags: readonly string[]
  readonly inbound_rules: readonly (FirewallRule & { readonly sources: { readonly addresses: readonly string[] } })[]
  readonly outbound_rules: readonly FirewallRule[]
  readonly created_at: string
}

interface FirewallRule {
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  readonly ports: string
}

export const DEFAULT_KNOBS: Knobs = {
  bootMs: 300,
  addressDelayMs: 0,
  listLagMs: 0,
  actionMs: 1_000,
  failingActions: 0,
  vanishing: 0,
  deletesIgnored: 0,
  dropletLimit: 25,
  perMinute: 250,
  perHour: 5_000,
  scopes: 'all',
  faults: [],
}

/** A droplet whose placement failed is gone from then on. */
export function present(world: World): EmulatedDroplet[] {
  const now = world.now()
  return [...world.droplets.values()].filter(({ vanishesAt }) => vanishesAt > now)
}

/** DigitalOcean does one thing at a time with a droplet. */
export const isBusy = ({ actions, now }: World, dropletId: number): boolean =>
  actions.some((action) => action.dropletId === dropletId && action.completedAt > now())
