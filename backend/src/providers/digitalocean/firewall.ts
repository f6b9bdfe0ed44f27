import { isIPv6 } from 'node:net'
import { hostOf } from '../../http/host-of.ts'
import type { Firewall, NewFirewall } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { directFirewallName, directTag, environmentTag, firewallName } from './droplet-names.ts'

const ANYWHERE = { addresses: ['0.0.0.0/0', '::/0'] } as const

const OUTBOUND: NewFirewall['outbound_rules'] = [
  { protocol: 'tcp', ports: '0', destinations: ANYWHERE },
  { protocol: 'udp', ports: '0', destinations: ANYWHERE },
  { protocol: 'icmp', ports: '0', destinations: ANYWHERE }, // its description wants ports of every protocol
]

export interface DirectOpening {
  readonly port: number
  /** Who may come in; nobody else. */
  readonly sources: readonly string[]
}

/** A firewall that is not as it must be. */
export interface WrongFirewall {
  readonly wanted: NewFirewall
  /** Absent: there is none of that name. */
  readonly id?: string
  /** How it differs, for people. */
  readonly words: string
}

/** Nothing comes in: DTMA dials out. Holds for every droplet with the tag of the environment. */
const closedFirewall = (environment: string): NewFirewall => ({
  name: firewallName(environment),
  tags: [environmentTag(environment)],
  inbound_rules: [],
  outbound_rules: OUTBOUND,
})

/** DTMA's port is open to the control plane, for droplets of the direct road. */
const openedFirewall = (environment: string, { port, sources }: DirectOpening): NewFirewall => ({
  name: directFirewallName(environment),
  tags: [directTag(environment)],
  inbound_rules: [{ protocol: 'tcp', ports: String(port), sources: { addresses: sources } }],
  outbound_rules: OUTBOUND,
})

/** Before the first droplet, so that none is open for a moment. What they were open to before is shut. Repeatable. @param direct Absent: only the one that holds for all. */
export async function ensureFirewalls(
  client: DigitalOcean,
  environment: string,
  direct: DirectOpening | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (const wrong of await findWrongFirewalls(client, environment, direct, signal))
    await mendFirewall(client, wrong, signal)
}

/** One list call. */
export async function findWrongFirewalls(
  client: DigitalOcean,
  environment: string,
  direct: DirectOpening | undefined,
  signal: AbortSignal,
): Promise<WrongFirewall[]> {
  const present = await client.firewalls(signal)
  const wanted = [closedFirewall(environment), ...(direct ? [openedFirewall(environment, direct)] : [])]
  return wanted.flatMap((one) => {
    const found = present.find(({ name }) => name === one.name)
    if (!found) return [{ wanted: one, words: 'it was gone' }]
    const words = differenceOf(found, one)
    return words === '' ? [] : [{ wanted: one, id: found.id, words }]
  })
}

/** Repeatable. */
export async function mendFirewall(
  client: DigitalOcean,
  { id, wanted }: WrongFirewall,
  signal: AbortSignal,
): Promise<void> {
  for (const tag of wanted.tags) await client.ensureTag(tag, signal) // a firewall may name only tags that exist
  if (id === undefined) await client.createFirewall(wanted, signal)
  else await client.replaceFirewall(id, wanted, signal)
}

/** @returns nothing when what comes in, and for whom it holds, is as wanted. */
function differenceOf(present: Firewall, wanted: NewFirewall): string {
  const [lets, mustLet] = [openingsOf(present.inbound_rules), openingsOf(wanted.inbound_rules)]
  const [has, mustHave] = [new Set(present.tags), new Set(wanted.tags)]
  return [
    listed('it let in', lets.difference(mustLet)),
    listed('it did not let in', mustLet.difference(lets)),
    listed('it had the tag', has.difference(mustHave)),
    listed('it lacked the tag', mustHave.difference(has)),
  ]
    .flat()
    .join('; ')
}

const listed = (what: string, of: ReadonlySet<string>): string[] =>
  of.size === 0 ? [] : [`${what} ${[...of].sort().join(', ')}`]

/** Of each source of each rule: rules, and sources in them, have an order that means nothing. */
function openingsOf(rules: Firewall['inbound_rules'] | NewFirewall['inbound_rules']): Set<string> {
  return new Set(
    rules.flatMap(({ protocol, ports, sources }) =>
      Object.entries(sources ?? {}).flatMap(([kind, values]) =>
        [values ?? []].flat().map((value) => {
          const who = kind === 'addresses' ? canonical(String(value)) : `${kind} ${value}`
          return `${[protocol, ports].filter(Boolean).join(' ')} from ${who}`
        }),
      ),
    ),
  )
}

/** One address is written in several ways. */
function canonical(source: string): string {
  const [address = '', prefix] = source.split('/')
  const six = isIPv6(address)
  const one = six ? hostOf(new URL(`http://[${address}]`)) : address
  return prefix === undefined || prefix === (six ? '128' : '32') ? one : `${one}/${prefix}`
}
