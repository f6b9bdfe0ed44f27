import * as z from 'zod'
import { ApiError, notFound, unprocessable } from './api-error.ts'
import { parse } from './droplets.ts'
import { type EmulatedFirewall, present, type World } from './world.ts'

const Rule = z.object({ protocol: z.enum(['tcp', 'udp', 'icmp']), ports: z.string() })
const NewFirewall = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9.-]+$/),
  tags: z.array(z.string()).optional(),
  droplet_ids: z.array(z.int()).optional(),
  inbound_rules: z.array(Rule.extend({ sources: z.object({ addresses: z.array(z.string()) }) })).optional(),
  outbound_rules: z.array(Rule.extend({ destinations: z.object({ addresses: z.array(z.string()) }) })).optional(),
})

/** @throws {ApiError} */
export function createFirewall(world: World, body: unknown): EmulatedFirewall {
  const wanted = firewallOf(world, body)
  if (wanted.inbound_rules.length + wanted.outbound_rules.length === 0)
    throw unprocessable('a firewall must have at least one rule')
  if ([...world.firewalls.values()].some((one) => one.name === wanted.name))
    throw new ApiError(409, 'conflict', 'duplicate name')
  const firewall = { id: crypto.randomUUID(), created_at: new Date(world.now()).toISOString(), ...wanted }
  world.firewalls.set(firewall.id, firewall)
  return firewall
}

/** @throws {ApiError} */
export function replaceFirewall(world: World, id: string, body: unknown): EmulatedFirewall {
  const before = world.firewalls.get(id)
  if (!before) throw notFound()
  const firewall = { ...before, ...firewallOf(world, body) }
  world.firewalls.set(id, firewall)
  return firewall
}

function firewallOf(world: World, body: unknown) {
  const { name, tags = [], inbound_rules = [], outbound_rules = [] } = parse(NewFirewall, body)
  if (tags.some((tag) => !world.tags.has(tag))) throw unprocessable('the tag does not exist')
  return { name, tags, inbound_rules, outbound_rules }
}

/** What may come in to a droplet; whatever else begins there is dropped. */
export interface Guard {
  readonly address: string
  readonly openings: readonly Opening[]
}

export interface Opening {
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  /** `30000`, `8000-9000`; `0`: all. */
  readonly ports: string
  /** Addresses and ranges, of IPv4. */
  readonly sources: readonly string[]
}

/** Of every droplet for which a firewall holds: what all of them together let in. A droplet without one is open. */
export function guardsOf(world: World): Guard[] {
  const firewalls = [...world.firewalls.values()]
  return present(world).flatMap(({ address, tags }) => {
    const holding = firewalls.filter((firewall) => firewall.tags.some((tag) => tags.includes(tag)))
    const openings = holding.flatMap(({ inbound_rules }) => inbound_rules.map(openingOf))
    return holding.length === 0 ? [] : [{ address, openings }]
  })
}

const openingOf = ({ protocol, ports, sources }: EmulatedFirewall['inbound_rules'][number]): Opening => ({
  protocol,
  ports,
  sources: sources.addresses.filter((source) => !source.includes(':')),
})
